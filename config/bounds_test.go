package config

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// numbers calls f for every setting of a number below v, with its key.
func numbers(v reflect.Value, path string, f func(key string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range fields(v.Type()) {
			numbers(v.FieldByIndex(field.Index), join(path, tag(field)), f)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			numbers(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	case reflect.Int, reflect.Float32, reflect.Float64:
		f(path, v)
	}
}

// Every number has an upper bound, none takes what is no number, and an error says the key, the value and what is allowed.
func TestEveryNumberIsBounded(t *testing.T) {
	c := Default()
	seen := 0
	numbers(reflect.ValueOf(&c).Elem(), "", func(key string, v reflect.Value) {
		seen++
		refused := func(value any) {
			t.Helper()
			before := v.Interface()
			v.Set(reflect.ValueOf(value).Convert(v.Type()))
			err := c.Validate()
			got := fmt.Sprint(v.Interface())
			if v.Kind() == reflect.Float32 {
				got = fmt.Sprint(v.Float())
			}
			v.Set(reflect.ValueOf(before))
			group, _, _ := strings.Cut(key, "[")
			if err == nil {
				t.Errorf("%s can be %v", key, value)
			} else if text := err.Error(); !strings.Contains(text, group) || !strings.Contains(text, got) || !strings.Contains(text, "want ") {
				t.Errorf("%s at %v: %v; want the key, the value and what is allowed", key, value, err)
			}
		}
		if v.Kind() == reflect.Int {
			refused(1 << 40)
			refused(math.MaxInt)
			refused(math.MinInt)
			refused(-1)
			return
		}
		large := float64(1 << 40)
		if key == "train.lr" {
			large = 1e31
		}
		for _, bad := range []float64{large, math.NaN(), math.Inf(1), math.Inf(-1), -math.MaxFloat32} {
			refused(bad)
		}
	})
	if seen < 55 {
		t.Errorf("only %d numbers were looked at", seen)
	}
}

// Where nothing makes no sense, 0 is refused.
func TestZero(t *testing.T) {
	for _, key := range []string{"model.fpn_width", "data.short_sides=[0]", "data.max_side", "data.canvas_multiple", "data.std=[0, 1, 1]", "model.anchors.sizes=[0, 1, 1, 1, 1]",
		"model.anchors.scales=[0]", "model.anchors.ratios=[0]", "model.anchors.scales=[]", "data.short_sides=[]", "match.top_k", "train.batch", "train.base_batch", "train.lr", "train.eps",
		"train.gamma", "infer.top_k", "infer.max_detections", "loss.mine_keep", "model.prior"} {
		if !strings.Contains(key, "=") {
			key += "=0"
		}
		c := Default()
		name, _, _ := strings.Cut(key, "=")
		if err := c.Set([]string{key}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A list of 10,000 is no longer than a list of classes may be; one more is too many there, too.
func TestLongLists(t *testing.T) {
	list := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s, ", f(i))
		}
		return "[" + b.String() + "]"
	}
	one := func(int) string { return "64" }
	for key, value := range map[string]string{
		"data.short_sides": list(10_000, one), "model.anchors.scales": list(10_000, one), "model.anchors.ratios": list(10_000, one), "model.anchors.sizes": list(10_000, one),
		"model.anchors.strides": list(10_000, one), "train.milestones": list(10_000, func(i int) string { return fmt.Sprint(float64(i+1) / 10_001) }),
		"data.mean": list(10_000, one), "data.std": list(10_000, one), "model.category_ids": list(10_000, one),
		"model.classes": list(MaxClasses+1, func(i int) string { return fmt.Sprint("c", i) }),
	} {
		c := Default()
		begin := time.Now()
		err := c.Set([]string{key + "=" + value})
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s of many values: %v", key, err)
		} else if text := strings.ReplaceAll(err.Error(), value, ""); len(text) > 10_000 {
			t.Errorf("%s: an error of %d bytes", key, len(text))
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s took %v", key, took)
		}
	}
	c := Default()
	c.Model.Classes, c.Model.CategoryIDs = make([]string, MaxClasses), make([]int64, MaxClasses)
	for i := range c.Model.Classes {
		c.Model.Classes[i], c.Model.CategoryIDs[i] = fmt.Sprint("class ", i), int64(i)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("%d classes: %v", MaxClasses, err)
	}
	if c, err := Parse("many", []byte(c.String())); err != nil || len(c.Model.Classes) != MaxClasses {
		t.Errorf("%d classes read back: %v", len(c.Model.Classes), err)
	}
	long := c
	long.Model.Classes = slices.Clone(c.Model.Classes)
	for i := range 500 {
		long.Model.Classes[i] += strings.Repeat("\x01", 800)
	}
	if err := long.Validate(); err == nil || !strings.Contains(err.Error(), "bytes in all") {
		t.Errorf("names of 400 KB: %v", err)
	}
	for i := range 300 {
		long.Model.Classes[i] = c.Model.Classes[i] + strings.Repeat("\x01", 800)
		long.Model.Classes[300+i%200] = c.Model.Classes[300+i%200]
	}
	if _, err := Parse("escaped", []byte(long.String())); err != nil {
		t.Errorf("long names: %v", err)
	}
	c.Model.Anchors.Scales = []float64{1, 2, 3, 4, 5, 6}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "product of at most") {
		t.Errorf("180,000 outputs per cell: %v", err)
	}
}

// hostile are documents that are small and ask for much.
func hostile() map[string][]byte {
	long := strings.Repeat("x", 1<<20)
	var bomb bytes.Buffer
	bomb.WriteString("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
	}
	bomb.WriteString("model: {classes: *a39}\n")
	return map[string][]byte{
		"aliases of aliases":                    bomb.Bytes(),
		"an alias of itself":                    []byte("model: &m {anchors: *m}\n"),
		"a long name, often":                    []byte("data: {root: &r " + long + "}\nmodel: {classes: [" + strings.Repeat("*r, ", 50_000) + "]}\n"),
		"a long text that is no number, often":  []byte("data: {root: &r " + long + ", short_sides: [" + strings.Repeat("*r, ", 50_000) + "]}\n"),
		"a long key":                            []byte(long + ": 1\n"),
		"many unknown keys":                     []byte("model: {" + manyKeys(100_000) + "}\n"),
		"deep lists":                            []byte("model: {classes: " + strings.Repeat("[", 50_000) + "}\n"),
		"deep groups":                           []byte(strings.Repeat("{a: ", 50_000)),
		"a merge":                               []byte("model: &m {fpn_width: 32}\ndata: {<<: *m}\n"),
		"bytes that are no text":                {0xff, 0xfe, 0, 1, 2, 3},
		"more than a configuration can have":    bytes.Repeat([]byte("#\n"), MaxText/2+1),
		"one path that is longer than any path": []byte("data: {root: " + long + "}\n"),
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1, ", i)
	}
	return b.String()
}

// Each ends with an error that can be read, soon and in little memory.
func TestHostileText(t *testing.T) {
	for name, text := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		_, err := Parse("hostile.yaml", text)
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "hostile.yaml") || len(err.Error()) > 20_000 {
			t.Errorf("%s: %.300v", name, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<20 || took > 10*time.Second {
			t.Errorf("%s: took %v and %d MB", name, took, grown>>20)
		}
	}
	path := filepath.Join(t.TempDir(), "sparse.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 20<<30); err != nil {
		t.Skip("this file system has no sparse files: ", err)
	}
	if _, err := Load(path, nil); err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("20 GB: %v", err)
	}
}
