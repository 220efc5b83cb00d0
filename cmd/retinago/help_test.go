package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"retinago/train"
)

var update = flag.Bool("update", false, "write docs/cli.md")

// everyHelp calls f with each help text and the words that print it.
func everyHelp(f func(name, text string)) {
	app := newApp(io.Discard, io.Discard)
	f("retinago", overview(app))
	var walk func(commands []*cli.Command, name string)
	walk = func(commands []*cli.Command, name string) {
		for _, c := range commands {
			if !c.Hidden {
				f(name+" "+c.Name, strings.ReplaceAll(c.CustomHelpTemplate, "{{\"{{\"}}", "{{")) // see literal
				walk(c.Subcommands, name+" "+c.Name)
			}
		}
	}
	walk(app.Commands, "retinago")
}

// Help fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	n := 0
	everyHelp(func(name, text string) {
		n++
		for line := range strings.Lines(text) {
			if line = strings.TrimRight(line, "\n"); len([]rune(line)) > helpWidth && !strings.Contains(line, "://") {
				t.Errorf("%s: %d columns: %s", name, len(line), line)
			}
		}
	})
	if n < 30 {
		t.Errorf("only %d helps", n)
	}
}

// docs/cli.md has the help of every verb: `go test -tags opencv -run TestReference ./cmd/retinago -update` writes it.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The command line\n\nThe help of every verb, as `retinago VERB -help` prints it.\n")
	everyHelp(func(name, text string) { fmt.Fprintf(&b, "\n## %s\n\n```text\n%s```\n", name, text) })
	path := filepath.Join("..", "..", "docs", "cli.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/cli.md is stale (%v): go test -tags opencv -run TestReference ./cmd/retinago -update", err)
	}
}

// The bare arguments in a help are those that the command line takes.
func TestShortUsage(t *testing.T) {
	for verb := range bare {
		if shortUsage[verb] == "" {
			t.Errorf("%s takes bare arguments, and its help does not say so", verb)
		}
	}
	for verb, text := range shortUsage {
		if n := len(strings.Fields(text)); n != len(bare[verb]) {
			t.Errorf("%s takes %d bare arguments, its help says %q", verb, len(bare[verb]), text)
		}
	}
}

// Words of other programs and wrong commands are answered with what is ours, and with exit code 2 where the command is at fault.
func TestWrongCommands(t *testing.T) {
	dir := shapes(t)
	data := filepath.Join(dir, "train.json")
	absent := filepath.Join(dir, "absent")
	held := filepath.Join(dir, "held")
	if err := os.Mkdir(held, 0o755); err != nil {
		t.Fatal(err)
	}
	foreign := write(t, filepath.Join(dir, "foreign.pth"), "PK\x03\x04 and so on, as PyTorch's files begin")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	write(t, filepath.Join(held, train.StateFile), "")
	for _, k := range []struct {
		line  string
		code  int
		wants []string
	}{
		{"predict", 2, []string{"detect"}},
		{"val", 2, []string{"eval"}},
		{"fit", 2, []string{"train"}},
		{"tune", 2, []string{"bench"}},
		{"download", 2, []string{"weights fetch"}},
		{"trian", 2, []string{"train"}},
		{"Train", 2, []string{"train"}},
		{"yolo", 2, []string{"train, eval or detect"}},
		{"data chek", 2, []string{"check"}},
		{"train", 2, []string{"-data", "-config"}},
		{"train -imgsz 320", 2, []string{"-imgsz", "-size"}},
		{"train -lr .1", 2, []string{"-lr", "train.lr"}},
		{"train -lr0=.1", 2, []string{"train.lr"}},
		{"train -model resnet50", 2, []string{"-weights", "model.backbone"}},
		{"train -batch-size 4", 2, []string{"-batch"}},
		{"train -batch_size 4", 2, []string{"-batch"}},
		{"train -batch 4", 2, []string{"-data", "train.batch"}},
		{"train -epochs 4", 2, []string{"-data"}},
		{"train -gpus 2", 2, []string{"-device"}},
		{"train -pretrained x", 2, []string{"-init"}},
		{"train -project x", 2, []string{"-out"}},
		{"train -data " + data + " -epochs 0", 2, []string{"-epochs 0", "at least 1"}},
		{"train -data " + data + " -size 3", 2, []string{"-size 3", "64"}},
		{"train -data " + data + " -minutes -1", 2, []string{"-minutes"}},
		{"train -data " + data + " -minutes 2 -epochs 3", 2, []string{"give one"}},
		{"train -data " + data + " -batch many", 2, []string{"-batch", "many"}},
		{"train -data " + data + " -config x.yaml", 2, []string{"-config", "give one"}},
		{"train -data " + data + " -set train.rate=1", 2, []string{"train.rate"}},
		{"train -data " + data + " -set train.lr=fast", 2, []string{"train.lr", "fast"}},
		{"train -data " + data + " -set loss.kind=foo", 2, []string{"loss.kind", "foo", "focal"}},
		{"train -data " + data + " -set loss.kind=softmax", 2, []string{"model.background", "true with loss.kind softmax"}},
		{"train -data " + data + " -set train.optimizer=foo", 2, []string{"foo", "adamw"}},
		{"train -data " + data + " -device gpu", 2, []string{`"gpu"`, "cuda"}},
		{"train -data " + data + " -precision bf16", 2, []string{"bf16", "cuda:0"}},
		{"train -data " + data + " -out " + held, 1, []string{held, "already holds a run", "-resume"}},
		{"config new -data " + data + " -set loss.kind=foo", 2, []string{"loss.kind", "foo"}},
		{"config new -data " + data + " -device gpu", 2, []string{`"gpu"`, "cuda"}},
		{"train -data " + absent, 1, []string{absent, "no"}},
		{"train -data " + filepath.Join(dir, "train"), 1, []string{"Annotations", "data.yaml"}},
		{"train -data " + data + " -init " + absent, 1, []string{absent, "none"}},
		{"train -config " + absent, 1, []string{absent}},
		{"train -resume " + absent + " -epochs 30", 2, []string{"-extend -epochs 30", "-extend -set train.epochs=30"}},
		{"train -resume " + absent + " -minutes 1.5", 2, []string{"-extend -minutes 1.5", "-extend -set train.minutes=1.5"}},
		{"train -resume " + absent + " -batch 4", 2, []string{"-batch", "-set"}},
		{"train -resume " + absent, 2, []string{"-resume", "config.yaml"}},
		{"train -data " + data + " -extend", 2, []string{"-extend is for -resume"}},
		{"train -data " + data + " -change loss", 2, []string{"-change is for -resume"}},
		{"train -set train.learning_rate=1", 1, []string{"learning_rate"}},
		{"train -device gpu0", 2, []string{"-data"}},
		{"config new", 2, []string{"-data"}},
		{"weights inspect " + dir, 1, []string{dir, "is no run"}},
		{"data check -data " + filepath.Join(dir, "train"), 1, []string{dir, "no dataset of a known layout"}},
		{"eval " + absent, 2, []string{"folder of a run"}},
		{"eval " + dir, 2, []string{"folder of a run"}},
		{"detect -conf .3", 2, []string{"-score"}},
		{"detect -iou .3", 2, []string{"-nms"}},
		{"detect -save-txt", 2, []string{"-yolo"}},
		{"detect " + dir + " " + dir + " -out " + absent, 1, []string{dir, "run"}},
		{"detect", 2, []string{"weights", "source"}},
		{"detect model", 2, []string{"needs -source WHAT", "retinago detect MODEL SOURCE... [flags]"}},
		{"eval a b", 2, []string{`no argument "b"`, "retinago eval RUN [flags]"}},
		{"export a -out x.onnx b", 2, []string{`no argument "b"`, "retinago export MODEL [flags]"}},
		{"train " + data + " -batch 2 " + absent, 2, []string{absent, "retinago train DATASET [flags]"}},
		{"train -data " + data + " -minutes abc", 2, []string{`-minutes "abc": give a number`}},
		{"train -data " + data + " -epochs 1.5", 2, []string{`-epochs "1.5": give a whole number`}},
		{"train -data " + data + " -batchsize 4", 2, []string{"-batchsize", "-batch with train -data"}},
		{"detect -scor .3", 2, []string{"did you mean -score?"}},
		{"serve -delay x", 2, []string{`-delay "x": give a duration`}},
		{"export x -out y -format onnx", 2, []string{"-format", "here it is -to"}},
		{"detect yolov8n.pt " + dir + " -out " + absent, 1, []string{"yolov8n.pt: no such file", "published detector", "retinanet_resnet50_fpn_coco"}},
		{"detect " + foreign + " " + dir + " -out " + absent, 1, []string{foreign + ": this is not a safetensors file", "weights import " + foreign}},
		{"serve x -addr foo", 1, []string{"-addr foo", "HOST:PORT", ":8080"}},
		{"serve x -addr " + busy.Addr().String(), 1, []string{"-addr " + busy.Addr().String(), "another program listens", "another port"}},
		{"serve -port 80", 2, []string{"-addr"}},
		{"export -weights x -out y -to caffe", 2, []string{"caffe", "onnx"}},
		{"data check", 2, []string{"data"}},
		{"data check " + absent + ".csv", 1, []string{absent}},
		{"weights fetch resnet9000", 2, []string{"resnet9000", "resnet50"}},
	} {
		code, out := call(t, strings.Fields(k.line)...)
		if code != k.code {
			t.Errorf("%s: exit code %d, want %d: %s", k.line, code, k.code, out)
		}
		for _, w := range k.wants {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no word of %q: %s", k.line, w, out)
			}
		}
		if strings.Contains(out, "fetching") || strings.Contains(out, "measured") {
			t.Errorf("%s: refused after fetching or measuring: %s", k.line, out)
		}
		if strings.Contains(out, "strconv") || strings.Contains(out, "panic") {
			t.Errorf("%s: %s", k.line, out)
		}
	}
}
