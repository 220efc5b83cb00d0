package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// entries is a dictionary of keys and values in turn.
func entries(parts ...string) string {
	var b strings.Builder
	b.WriteString("}(")
	for i, p := range parts {
		if i%2 == 0 {
			p = text(p)
		}
		b.WriteString(p)
	}
	b.WriteString("u")
	return b.String()
}

// sequence is a list of values.
func sequence(values ...string) string { return "](" + strings.Join(values, "") + "e" }

// called is what a function gives for arguments.
func called(function string, args ...string) string {
	module, name := function[:strings.LastIndexByte(function, '.')], function[strings.LastIndexByte(function, '.')+1:]
	return "c" + module + "\n" + name + "\n(" + strings.Join(args, "") + "tR"
}

func checkpoint(t *testing.T, b []byte, key string) (*Checkpoint, error) {
	t.Helper()
	return readCheckpoint(bytes.NewReader(b), int64(len(b)), false, key)
}

// Objects that are not read may stand beside tensors, and nothing of them is run.
func TestOpaqueBesideTensors(t *testing.T) {
	for name, value := range map[string]string{
		"a path":                    called("pathlib.PosixPath", text("/"), text("out")),
		"a date":                    called("datetime.datetime", "C\x0a\x07\xe8\x01\x01\x00\x00\x00\x00\x00\x00"),
		"a device":                  called("torch.device", text("cuda"), "K\x00"),
		"a data type":               "ctorch\nfloat32\n",
		"a counter":                 called("collections.Counter", "}K\x10K\x01s"),
		"a dictionary with default": called("collections.defaultdict", "cbuiltins\nlist\n") + text("a") + sequence("K\x01") + "s",
		"a decimal":                 called("decimal.Decimal", text("1.5")),
		"a UUID":                    called("uuid.UUID") + "}b",
		"settings":                  "cargparse\nNamespace\n)\x81" + entries("device", text("cuda")) + "b",
		"settings of protocol 0":    called("copy_reg._reconstructor", "cargparse\nNamespace\n", "c__builtin__\nobject\n", "N") + entries("lr", "K\x01") + "b",
		"an object of protocol 1":   "(cargparse\nNamespace\no" + entries("lr", "K\x01") + "b",
		"an instance in two lines":  "(iargparse\nNamespace\n" + entries("lr", "K\x01") + "b",
		"an object with keywords":   "cmy\nConfig\n)}\x92" + entries("lr", "K\x01") + "b",
		"a history":                 "cmmengine.logging.history_buffer\nHistoryBuffer\n)\x81" + entries("mean", called("builtins.getattr", "cmmengine.logging.history_buffer\nHistoryBuffer\n", text("mean"))) + "b",
		"a partial function":        called("functools.partial", "cmy\nf\n") + "(cmy\nf\n)}Ntb",
		"a method's result":         called("builtins.getattr", "cmy\nC\n", text("make")) + ")R",
		"an array of objects": "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x01\x85cnumpy\ndtype\n" + text("O8") +
			"K\x00K\x01\x87R(K\x03" + text("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]" + text("x") + "atb",
		"an ordered dictionary of them": called("collections.OrderedDict", sequence(sequence(text("a"), called("my.thing")))),
		"a dictionary of another class": "cmmengine.config.config\nConfigDict\n)\x81" + text("type") + text("RetinaNet") + "s",
		"a list of another class":       "cmy\nList\n)\x81K\x01a",
	} {
		for where, b := range map[string][]byte{
			"beside":  pick(entries("model", entries("w", fourFloats), "other", value)),
			"before":  pick(entries("other", value, "state_dict", entries("w", fourFloats))),
			"further": pick(entries("model", entries("w", fourFloats), "hub", entries("scalars", sequence(value)))),
		} {
			c, err := checkpoint(t, b, "")
			if err != nil {
				t.Errorf("%s, %s: %v", name, where, err)
				continue
			}
			if got, err := c.Tensor("w"); err != nil || !slices.Equal(got.Data, []float32{1, 2, 3, 4}) {
				t.Errorf("%s, %s: %v, %v", name, where, got.Data, err)
			}
		}
	}
}

// A tensor that is made of what is not read is refused by its name, and so is what a function would make among tensors.
func TestOpaqueTensors(t *testing.T) {
	for name, k := range map[string]struct{ value, want string }{
		"a function that rebuilds":         {called("torch._utils._rebuild_qtensor", "K\x01"), "torch._utils._rebuild_qtensor"},
		"a tensor of an unknown storage":   {called("torch._utils._rebuild_tensor_v2", called("my.storage"), "K\x00", "K\x04\x85", "K\x01\x85"), "my.storage"},
		"a parameter of an unknown tensor": {called("torch._utils._rebuild_parameter", called("torch._utils._rebuild_sparse_tensor"), "\x88"), "_rebuild_sparse_tensor"},
		"a command":                        {called("posix.system", text("true")), "posix.system"},
		"an evaluation":                    {called("builtins.eval", text("1")), "builtins.eval"},
		"an import":                        {called("importlib.import_module", text("os")), "importlib.import_module"},
		"an array of objects": {"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x01\x85cnumpy\ndtype\n" + text("O8") +
			"K\x00K\x01\x87R(K\x03" + text("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]" + text("x") + "atb", "an array whose data are"},
	} {
		_, err := checkpoint(t, pick(entries("model", entries("w", fourFloats, "bad.weight", k.value))), "")
		if err == nil || !strings.Contains(err.Error(), k.want) || !strings.Contains(err.Error(), `"bad.weight"`) {
			t.Errorf("%s: %v; want %q and the tensor's name", name, err, k.want)
		}
	}
}

// Prefixes come in any order, and are taken off only where every tensor has them.
func TestPrefixes(t *testing.T) {
	for _, k := range []struct {
		names []string
		want  []string // nil where nothing is taken off
	}{
		{[]string{"module.a.w", "module.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"_orig_mod.a.w", "_orig_mod.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"module._orig_mod.a.w", "module._orig_mod.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"_orig_mod.module.a.w", "_orig_mod.module.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"model.module._orig_mod.a.w"}, []string{"a.w"}},
		{[]string{"ema_model.module.a.w", "ema_model.module.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"ema.a.w", "ema.b.w"}, []string{"a.w", "b.w"}},
		{[]string{"_forward_module.model.a.w"}, []string{"a.w"}},
		{[]string{"net.a.w"}, []string{"a.w"}},
		{[]string{"detector.network.a.w"}, []string{"a.w"}},
		{[]string{"averaged_model.a.w"}, []string{"a.w"}},
		{[]string{"module.a.w", "b.w"}, nil},
		{[]string{"module.", "module.b.w"}, nil},
		{[]string{"backbone.w", "head.w"}, nil},
		{[]string{"models.a.w"}, nil},
		{[]string{"n_averaged"}, nil},
		{[]string{"", "module"}, nil},
	} {
		want := k.want
		if want == nil {
			want = k.names
		}
		var parts, heads []string
		var data []byte
		for i, n := range k.names {
			parts = append(parts, n, fourFloats)
			heads = append(heads, fmt.Sprintf(`%q:{"dtype":"F32","shape":[4],"data_offsets":[%d,%d]}`, n, 16*i, 16*i+16))
			for v := range 4 {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v+1)))
			}
		}
		c, err := checkpoint(t, pick(entries(parts...)), "")
		if err != nil || !slices.Equal(c.Names(), want) || len(c.Notes()) > 0 != (k.want != nil) {
			t.Errorf("%v: %v, %v, want %v", k.names, c, err, want)
		}
		f := openAny(t, put(t, raw("{"+strings.Join(heads, ",")+"}", data)))
		if !slices.Equal(f.Names(), want) || len(f.Notes()) > 0 != (k.want != nil) {
			t.Errorf("safetensors %v: %v, %v", k.names, f.Names(), f.Notes())
		}
		if got, err := f.Tensor(want[0]); err != nil || !slices.Equal(got.Data, []float32{1, 2, 3, 4}) {
			t.Errorf("safetensors %v: %v, %v", k.names, got, err)
		}
	}
}

// The tensors of a moving average are taken where there are no others, or where they are asked for.
func TestKeys(t *testing.T) {
	two := pick(entries("model_ema", entries("module.w", fourFloats), "model", entries("v", fourFloats)))
	for _, k := range []struct {
		b         []byte
		key, want string
		note      string
	}{
		{two, "", "v", `others under ["model_ema"]`},
		{two, "model_ema", "w", `under "model_ema"`},
		{two, "weights", "", `there are no tensors under "weights"; the file has "model_ema", "model"`},
		{pick(entries("ema_state_dict", entries("w", fourFloats), "epoch", "K\x01")), "", "w", `under "ema_state_dict"`},
		{pick(entries("teacher", entries("state_dict", entries("w", fourFloats)), "model", entries("v", fourFloats))), "teacher", "w", `under "state_dict"`},
	} {
		c, err := checkpoint(t, k.b, k.key)
		if k.want == "" {
			if err == nil || !strings.Contains(err.Error(), k.note) {
				t.Errorf("key %q: %v; want %q", k.key, err, k.note)
			}
			continue
		}
		if err != nil || !slices.Equal(c.Names(), []string{k.want}) || !strings.Contains(strings.Join(c.Notes(), "\n"), k.note) {
			t.Errorf("key %q: %v, %v; want %s and %q", k.key, c, err, k.want, k.note)
		}
	}
}

// Names of classes are found where programs keep them.
func TestClasses(t *testing.T) {
	names := sequence(text("cat"), text("dog"))
	for name, k := range map[string]struct {
		parts []string
		want  []string
		ids   []int64
	}{
		"mmdetection 2":          {[]string{"meta", entries("CLASSES", "("+text("cat")+text("dog")+"t")}, []string{"cat", "dog"}, nil},
		"mmdetection 3.0":        {[]string{"meta", entries("dataset_meta", entries("CLASSES", names))}, []string{"cat", "dog"}, nil},
		"mmdetection 3.3":        {[]string{"meta", entries("dataset_meta", entries("classes", names))}, []string{"cat", "dog"}, nil},
		"one's own":              {[]string{"classes", names}, []string{"cat", "dog"}, nil},
		"detectron2's metadata":  {[]string{"metadata", entries("thing_classes", names)}, []string{"cat", "dog"}, nil},
		"ultralytics":            {[]string{"names", "}(K\x01" + text("dog") + "K\x00" + text("cat") + "u"}, []string{"cat", "dog"}, nil},
		"Lightning":              {[]string{"hyper_parameters", entries("class_names", names)}, []string{"cat", "dog"}, nil},
		"transformers":           {[]string{"id2label", "}(K\x00" + text("cat") + "K\x01" + text("dog") + "u"}, []string{"cat", "dog"}, nil},
		"torchvision's datasets": {[]string{"class_to_idx", entries("dog", "K\x01", "cat", "K\x00")}, []string{"cat", "dog"}, nil},
		"COCO's categories":      {[]string{"categories", sequence(entries("id", "K\x11", "name", text("cat")), entries("id", "K\x12", "name", text("dog")))}, []string{"cat", "dog"}, []int64{17, 18}},
		"one id is missing":      {[]string{"categories", sequence(entries("id", "K\x11", "name", text("cat")), entries("name", text("dog")))}, []string{"cat", "dog"}, nil},
		"a gap":                  {[]string{"names", "}(K\x02" + text("dog") + "K\x00" + text("cat") + "u"}, nil, nil},
		"an index twice":         {[]string{"class_to_idx", entries("dog", "K\x00", "cat", "K\x00")}, nil, nil},
		"no names":               {[]string{"names", sequence("K\x01")}, nil, nil},
		"a name without letters": {[]string{"names", sequence(text(""))}, nil, nil},
		"a number":               {[]string{"classes", "K\x02"}, nil, nil},
		"nothing":                {nil, nil, nil},
	} {
		c, err := checkpoint(t, pick(entries(append(k.parts, "model", entries("w", fourFloats))...)), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, ids := c.Classes(); !slices.Equal(got, k.want) || !slices.Equal(ids, k.ids) {
			t.Errorf("%s: %v, %v", name, got, ids)
		}
	}
}

// A file of single numbers alone has no prefix.
func TestSingleNumbers(t *testing.T) {
	f := openAny(t, put(t, raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4))))
	if !f.Has("x") || len(f.Notes()) > 0 {
		t.Errorf("%v, %v", f.Names(), f.Notes())
	}
}

// A safetensors file whose header begins with the bytes of a pickle is one.
func TestHeaderLikePickle(t *testing.T) {
	for _, size := range []int{0x80, 0x180, 0x280, 0x580} {
		header := `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
		header += strings.Repeat(" ", size-len(header))
		if got := openAny(t, put(t, raw(header, make([]byte, 4)))); got.Format() != "safetensors" || !got.Has("w") {
			t.Errorf("a header of %d bytes: %s, %v", size, got.Format(), got.Names())
		}
	}
}
