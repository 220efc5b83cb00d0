package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"retinago/internal/memory"
)

// TestMain lets the test binary be the program, so that tests see exit codes, signals and kills.
func TestMain(m *testing.M) {
	if os.Getenv("RETINAGO_TEST_MAIN") != "" {
		code := start()
		if path := os.Getenv("RETINAGO_TEST_PEAK"); path != "" {
			if err := os.WriteFile(path, strconv.AppendInt(nil, memory.Peak(), 10), 0o600); err != nil {
				panic(err)
			}
		}
		os.Exit(code)
	}
	// What the program measures is kept elsewhere than its user's.
	dir, err := os.MkdirTemp("", "retinago")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// Every help has an example that begins with the verb's own name.
func TestHelp(t *testing.T) {
	wants(t, ok(t), "train", "eval", "detect", "data", "anchors", "summary", "version")
	for _, verb := range []string{"train", "eval", "detect", "data shapes", "data check", "data stats", "data convert", "data split", "data merge", "data subset", "data tile", "data draw", "anchors show", "anchors fit", "export", "weights import", "weights fetch", "weights export", "weights inspect", "summary", "version"} {
		wants(t, ok(t, append(strings.Fields(verb), "-help")...), "   retinago "+verb)
	}
}

// Wrong command lines end with 2, wrong data with 1, each with what is wrong and where.
func TestErrors(t *testing.T) {
	dir := shapes(t)
	tmp := t.TempDir()
	whole, err := os.ReadFile(filepath.Join(dir, "val.json"))
	if err != nil {
		t.Fatal(err)
	}
	val, images := filepath.Join(dir, "val.json"), filepath.Join(dir, "val")
	cut := write(t, filepath.Join(tmp, "cut.json"), string(whole[:len(whole)/2]))
	strange := write(t, filepath.Join(tmp, "strange.json"), strings.Replace(string(whole), `"category_id":`, `"category_id":9`, 1))
	lost := write(t, filepath.Join(tmp, "lost.json"), strings.Replace(string(whole), `"image_id":`, `"image_id":9`, 1))
	conf := write(t, filepath.Join(tmp, "c.yaml"), "train:\n  learning_rate: .1\n")
	text := write(t, filepath.Join(tmp, "text.jpg"), "no picture")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	foreign := write(t, filepath.Join(tmp, "w.safetensors"), "\x02\x00\x00\x00\x00\x00\x00\x00{}")
	run := filepath.Join(tmp, "run")
	for _, k := range []struct {
		code  int
		args  []string
		wants []string
	}{
		{2, []string{"trian"}, []string{"trian", `Did you mean "train"?`}},
		{2, []string{"train", "-lr", "3"}, []string{"-lr", "-help"}},
		{2, []string{"eval", "-gt", val}, []string{"-dt"}},
		{2, []string{"detect", "-weights", foreign, "-source", text}, []string{"-out", "-json"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-score", "7"}, []string{"-score 7"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-method", "fast"}, []string{"fast", "soft-gaussian"}},
		{2, []string{"summary", "-size", "big"}, []string{"big", "800x1344"}},
		{1, []string{"eval", "-gt", "absent.json", "-dt", val}, []string{"absent.json"}},
		{1, []string{"eval", "-gt", cut, "-dt", val}, []string{cut, "byte"}},
		{1, []string{"train", "-config", conf}, []string{conf, "learning_rate"}},
		{1, []string{"train", "-config", "absent.yaml"}, []string{"absent.yaml"}},
		{1, []string{"train", "-set", "train.lr=fast"}, []string{"train.lr", "fast"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.source="+lost)...), []string{lost, "image"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.source="+strange)...), []string{strange, "categor"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "data.train.images=absent")...), []string{"absent", "00001.jpg"}},
		{1, append([]string{"train", "-out", run}, tiny(dir, "train.init_weights="+foreign)...), []string{foreign}},
		{1, append([]string{"train", "-out", run, "-resume"}, tiny(dir)...), []string{run, "leave -resume out"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-score", "cat=2"}, []string{"cat=2"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-line", "1,2,3,4"}, []string{"-track"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-track", "-line", "1,2,3"}, []string{"1,2,3", "x1,y1"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-track", "-zone", "1,2,3,b"}, []string{`"b"`}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-scales", "1,x"}, []string{`"x"`}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-merge", "mean"}, []string{"mean", "fuse"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-batch", "0"}, []string{"-batch 0"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-jsonl", "-", "-csv", "-"}, []string{"2 files"}},
		{1, []string{"detect", "-weights", foreign, "-source", "cam:x", "-out", tmp}, []string{"cam:x"}},
		{1, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp}, []string{foreign, "not a checkpoint"}},
		{1, []string{"detect", "-weights", "absent.safetensors", "-source", text, "-out", tmp}, []string{"absent.safetensors"}},
		{1, []string{"detect", "-weights", foreign, "-source", filepath.Join(tmp, "*.png"), "-out", tmp}, []string{"*.png"}},
		{1, []string{"weights", "import", "-file", text, "-out", run}, []string{text}},
		{1, []string{"weights", "import", "-file", foreign, "-out", run}, []string{foreign, "torchvision"}},
		{1, []string{"weights", "import", foreign, "-out", run, "-from", "detectron2"}, []string{foreign}},
		{2, []string{"weights", "import", foreign, "-out", run, "-from", "keras"}, []string{"keras", "mmdetection"}},
		{1, []string{"export", "-weights", foreign, "-to", "onnx", "-out", run}, []string{foreign}},
		{2, []string{"export", "-weights", foreign, "-to", "onnx", "-size", "big", "-out", run}, []string{"big"}},
		{2, []string{"export", "-weights", foreign, "-size", "64x64", "-out", run}, []string{"-size", "onnx"}},
		{2, []string{"weights", "import"}, []string{"weights import needs -file FILE and -out FILE"}},
		{2, []string{"data", "convert", "-data", val}, []string{"data convert needs -out PATH"}},
		{2, []string{"data", "check", "-data"}, []string{"data check: flag needs an argument"}},
		{2, []string{"weights", "fetch", "resnet50-1"}, []string{"resnet50-1", "resnet50-0676ba61"}},
		{2, []string{"weights", "export", "-weights", foreign, "-to", "caffe", "-out", run}, []string{"caffe", "torchvision"}},
		{2, []string{"data", "shapes", "-out", filepath.Join(tmp, "s"), "-size", "64", "-max-size", "110"}, []string{"16 to 110 pixels", "-min-size", "-max-size", "44.8"}},
		{2, []string{"data", "shapes", "-out", filepath.Join(tmp, "s"), "-max-objects", "2", "-min-objects", "3"}, []string{"-min-objects", "-max-objects"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-retries", "-1"}, []string{"-retries -1", "0 or more"}},
		{1, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-retries", "0"}, []string{foreign, "not a checkpoint"}},
		{1, []string{"detect", "-weights", text, "-source", text, "-out", tmp}, []string{text, "weights import"}},
		{1, []string{"detect", "-weights", foreign, "-source", "absent.jpg", "-out", tmp}, []string{"absent.jpg: there is no such file or folder in " + here}},
		{1, []string{"data", "check", "-data", "absent.json"}, []string{"open absent.json: no such file or directory in " + here + ": check the path"}},
		{1, []string{"train", "-config", "sub/absent.yaml"}, []string{"open sub/absent.yaml: no such file or directory in " + here}},
		{1, []string{"detect", "-weights", "absent.pth", "-source", text, "-out", tmp}, []string{"absent.pth: no such file or directory in " + here}},
		{2, []string{"data", "convert", "-data", val, "-to", "bmp", "-out", tmp}, []string{"bmp", "yolo"}},
		{2, []string{"data", "convert", "-data", val, "-name", "x", "-out", tmp}, []string{"-name x"}},
		{2, []string{"data", "stats", "-data", val, "-format", "bmp"}, []string{"bmp", "openimages"}},
		{1, []string{"data", "convert", "-data", tmp, "-out", filepath.Join(tmp, "x.json")}, []string{tmp, "Annotations"}},
		{1, []string{"data", "draw", "-data", lost, "-out", filepath.Join(tmp, "x.jpg")}, []string{lost, "-images"}},
		{2, []string{"data", "draw", "-data", val, "-images", tmp, "-out", filepath.Join(tmp, "x")}, []string{".jpg", ".png"}},
		{2, []string{"data", "draw", "-out", filepath.Join(tmp, "x.jpg")}, []string{"-data PATH", "-augment N"}},
		{2, []string{"data", "draw", "-data", val, "-augment", "1", "-out", tmp}, []string{"-data is not for -augment", "-config RUN", "config new"}},
		{2, []string{"data", "draw", "-augment", "1", "-size", "99", "-out", tmp}, []string{"-size is not for -augment"}},
		{2, []string{"data", "draw", "-augment", "0", "-out", tmp}, []string{"-augment 0"}},
		{1, []string{"data", "draw", "-augment", "1", "-out", tmp}, []string{"data.train.source"}},
		{2, []string{"train", "-data", val, "-augment", "heavy"}, []string{`"heavy"`, "none, light, ssd, lsj, strong"}},
		{2, []string{"data", "shapes", "-out", filepath.Join(tmp, "s"), "-imbalance", "0"}, []string{"-imbalance 0", "1 or more"}},
		{2, []string{"data", "shapes", "-out", filepath.Join(tmp, "s"), "-imbalance", ".5"}, []string{"an imbalance of 0.5 (-imbalance)", "1 to 10000"}},
		{2, []string{"train", "-data", val, "-recipe", "fast"}, []string{`"fast"`, "few-images, small-objects, many-classes, long-tail, gpu"}},
		{2, []string{"train", "-config", val, "-recipe", "gpu"}, []string{"-recipe goes with -data PATH"}},
		{2, []string{"config", "new", "-data", val, "-recipe", "gpu"}, []string{"recipe gpu is for a GPU", "-device cuda:0"}},
		{2, []string{"anchors", "fit", "-split", "train"}, []string{"-split"}},
		{2, []string{"detect", "-weights", foreign, "-source", text, "-out", tmp, "-format", "voc"}, []string{"-format"}},
		{1, []string{"data", "check", "-data", strange}, []string{strange}},
		{1, []string{"data", "check", "-data", val, "-images", tmp}, []string{"no-pictures: the dataset: none of its 4 images is in " + tmp, "00001.jpg", "-images", "1 errors"}},
		{2, []string{"data", "check", "-data", val, "-fix", "clip"}, []string{"-out"}},
		{1, []string{"eval", "-weights", foreign, "-data", val, "-images", images}, []string{foreign}},
	} {
		code, out := call(t, k.args...)
		if code != k.code {
			t.Errorf("retinago %s: exit code %d, want %d\n%s", strings.Join(k.args, " "), code, k.code, out)
		}
		wants(t, out, k.wants...)
	}
}
