package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"retinago/box"
	"retinago/detector"
)

// The page and what it loads are served with their types, under a policy that lets nothing of others in.
func TestPage(t *testing.T) {
	s := newServer(t, Options{})
	for path, kind := range map[string]string{"/": "text/html", "/app.css": "text/css", "/app.js": "text/javascript", "/nms.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		r := ask(s.Handler(), "GET", path, nil)
		b := read(t, r)
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		if p := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none';") || strings.Contains(p, "unsafe") || strings.Contains(p, "http") {
			t.Errorf("%s: policy %s", path, p)
		}
		if other := regexp.MustCompile(`(src|href|url\(|import|fetch\()[^\n]{0,4}https?:`).Find(b); other != nil {
			t.Errorf("%s loads %s", path, other)
		}
	}
	html := string(read(t, ask(s.Handler(), "GET", "/", nil)))
	for _, id := range regexp.MustCompile(`<(?:input|select) id="([a-z]+)"`).FindAllStringSubmatch(html, -1) {
		inLabel := regexp.MustCompile(`<label[^>]*>[^\n]*id="` + id[1] + `"`).MatchString(html)
		if !inLabel && !strings.Contains(html, `for="`+id[1]+`"`) {
			t.Errorf("%s has no label", id[1])
		}
	}
	if regexp.MustCompile(`<style|style=|<script>|onclick=`).MatchString(html) {
		t.Error("the policy forbids what stands in the page itself")
	}
}

// The page's own NMS keeps what the server keeps, number for number: on a network's candidates and on made-up ones with ties,
// copies, flat and touching boxes.
func TestPageNMS(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not here")
	}
	type question struct {
		Candidates *Candidates `json:"candidates"`
		Score      float32     `json:"score"`
		NMS        float32     `json:"nms"`
		Method     string      `json:"method"`
		Max        int         `json:"max"`
		Off        []int       `json:"off"`
	}
	var questions []question
	s := newServer(t, Options{})
	real := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?raw=1&score=.005", noise(t, 300, 211))).Candidates
	ties := &Candidates{Scale: [2]float32{1.7, .31}}
	seed := uint32(1)
	next := func(n uint32) float32 {
		seed = seed*1664525 + 1013904223
		return float32(seed >> 8 % n)
	}
	for i := range 300 {
		x, y := next(40)/3, next(40)/3
		ties.Boxes = append(ties.Boxes, x, y, x+next(5)*3.3, y+next(5)*2.7)
		ties.Scores = append(ties.Scores, .3+next(8)/16)
		ties.Classes = append(ties.Classes, int32(i%3))
	}
	for _, c := range []*Candidates{real, ties} {
		for _, method := range []string{"greedy", "agnostic"} {
			for _, score := range []float32{.0099, .0102, .36, .5} {
				for _, iou := range []float32{0, .25, .5, 1} {
					questions = append(questions, question{c, score, iou, method, 100, []int{}}, question{c, score, iou, method, 7, []int{1}})
				}
			}
		}
	}
	var in bytes.Buffer
	for _, q := range questions {
		js, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(js, '\n'))
	}
	script := exec.Command(node, "testdata/nms.mjs", "web/nms.js")
	script.Stdin = &in
	var out, complaints bytes.Buffer
	script.Stdout, script.Stderr = &out, &complaints
	if err := script.Run(); err != nil {
		t.Fatalf("%v: %s", err, &complaints)
	}
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 16<<20)
	total := 0
	for i, q := range questions {
		if !lines.Scan() {
			t.Fatalf("%d answers to %d questions", i, len(questions))
		}
		var got []Object
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want := thinned(q.Candidates, detector.Decoding{Score: q.Score, NMS: q.NMS, Method: q.Method, MaxDets: q.Max}, q.Off)
		total += len(want)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("score %g, NMS %g, %s, at most %d without %v: %d, want %d", q.Score, q.NMS, q.Method, q.Max, q.Off, len(got), len(want))
		}
	}
	if total < 500 {
		t.Errorf("only %d boxes were compared", total)
	}
}

// thinned is what the server makes of candidates.
func thinned(c *Candidates, d detector.Decoding, off []int) (out []Object) {
	var v detector.Candidates
	for i, s := range c.Scores {
		if s > d.Score && (len(off) == 0 || int(c.Classes[i]) != off[0]) {
			b := c.Boxes[4*i:]
			v.Boxes, v.Scores, v.Classes = append(v.Boxes, box.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]}), append(v.Scores, s), append(v.Classes, c.Classes[i])
		}
	}
	for _, f := range d.Suppress(v) {
		b := f.Box.Scale(c.Scale[0], c.Scale[1])
		out = append(out, Object{Box: [4]float32{b.X1, b.Y1, b.X2, b.Y2}, Class: int(f.Class), Score: f.Score})
	}
	return out
}

// The page in a browser: testdata/browser/page.mjs. $RETINAGO_PLAYWRIGHT names the folder in which npm has installed
// testdata/browser/package.json.
func TestBrowser(t *testing.T) {
	dir := os.Getenv("RETINAGO_PLAYWRIGHT")
	chromium, err := exec.LookPath("chromium")
	if dir == "" || err != nil {
		t.Skip("$RETINAGO_PLAYWRIGHT names no folder with playwright-core, or chromium is not here")
	}
	for _, name := range []string{"page.mjs", "package.json"} {
		b, err := os.ReadFile(filepath.Join("testdata/browser", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sure, err := save("sure.safetensors", .3) // the sliders have something to do
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!DOCTYPE html><title>another page</title>")
	}))
	defer other.Close()
	door := func(context.Context, *slog.Logger) (Frames, error) { return &still{pic: noise(t, 100, 80)}, nil }
	v := run(t, Options{Models: []Model{{"tiny", open(t, sure, .3)}, {"other", load(t)}}, Cameras: map[string]Camera{"door": door}})
	locked := run(t, Options{Tokens: []string{"a long token"}, Origins: []string{other.URL}})
	pic := filepath.Join(t.TempDir(), "noise.jpg")
	if err := os.WriteFile(pic, noise(t, 300, 211), 0o644); err != nil {
		t.Fatal(err)
	}
	shots := os.Getenv("RETINAGO_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, "node", filepath.Join(dir, "page.mjs"), chromium, v.url, pic, shots, locked.url, "a long token", other.URL).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
