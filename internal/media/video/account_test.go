//go:build opencv

package video

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ffmpeg runs the program, or skips the test where it is not there.
func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not there")
	}
	if out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput(); err != nil {
		t.Skipf("ffmpeg %s: %s", strings.Join(args, " "), out)
	}
}

// readAll reads a video to its end, and returns the time stamps of its frames and what Missing says.
func readAll(t *testing.T, path string) (stamps []time.Duration, missing error) {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		p, at, err := r.Read()
		if errors.Is(err, ErrEnd) {
			return stamps, r.Missing(len(stamps))
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Release()
		stamps = append(stamps, at)
	}
}

// Videos that decode to their end are whole, whatever number of frames their container says; those that are cut or damaged are not.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	plain := at("plain.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=6", "-c:v", "libx264", "-preset", "veryfast", "-movflags", "+faststart", plain)
	const varying = "select='lt(n,20)+not(mod(n,7))'" // 39 frames
	const late = "select='lt(n,5)+gt(n,120)'"         // 5 frames, a long while, 29 frames
	for name, args := range map[string][]string{
		"copy.mkv": {"-c", "copy"}, "copy.ts": {"-c", "copy"}, "copy.mov": {"-c", "copy"}, "raw.h264": {"-c", "copy", "-bsf:v", "h264_mp4toannexb"}, "mpeg4.avi": {"-c:v", "mpeg4"},
		"end.mp4":     {"-c", "copy"}, // its table of frames is at the end
		"varying.mkv": {"-vf", varying, "-vsync", "vfr"}, "varying.mp4": {"-vf", varying, "-vsync", "vfr"}, "varying.webm": {"-vf", varying, "-vsync", "vfr", "-c:v", "libvpx"},
		"late.mkv": {"-vf", late, "-vsync", "vfr"}, "late.mp4": {"-vf", late, "-vsync", "vfr"}, "plain_b.mkv": {"-bf", "3"},
		"mpeg4varying.mp4": {"-vf", varying, "-vsync", "vfr", "-c:v", "mpeg4"},
	} {
		ffmpeg(t, append(append([]string{"-i", plain}, args...), at(name))...)
	}
	sound := at("sound.mkv")
	ffmpeg(t, "-i", plain, "-f", "lavfi", "-i", "sine=duration=9", "-map", "0:v", "-map", "1:a", "-c:v", "copy", sound)
	ffmpeg(t, "-i", sound, "-c", "copy", at("sound.mp4"))
	ffmpeg(t, "-ss", "2.3", "-i", plain, "-t", "2", "-c", "copy", at("trimmed.mp4"))
	ffmpeg(t, "-ss", "2.3", "-i", sound, "-t", "2", "-c", "copy", at("trimmed.mkv"))
	cut := func(name, from string, percent int) {
		b, err := os.ReadFile(at(from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), b[:len(b)*percent/100], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cut("cut.mp4", "plain.mp4", 60)
	cut("cut.mkv", "copy.mkv", 60)
	cut("cut_varying.mkv", "varying.mkv", 70)
	cut("cut_late.mp4", "late.mkv", 60)
	cut("cut.avi", "mpeg4.avi", 60)
	cut("cut.webm", "varying.webm", 60)
	cut("cut_sound.mkv", "sound.mkv", 50)
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)*3/4; i++ {
		b[i] = 0x5a
	}
	if err := os.WriteFile(at("damaged.mp4"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, frames := range map[string]int{ // 0: at most 120, and cut or damaged
		"plain.mp4": 150, "copy.mkv": 150, "copy.ts": 150, "copy.mov": 150, "raw.h264": 150, "mpeg4.avi": 150, "end.mp4": 150, "sound.mkv": 150, "sound.mp4": 150, "plain_b.mkv": 150,
		"varying.mkv": 39, "varying.mp4": 39, "varying.webm": 39, "mpeg4varying.mp4": 39, "late.mkv": 34, "late.mp4": 34, "trimmed.mp4": -1, "trimmed.mkv": -1,
		"cut.mp4": 0, "cut.mkv": 0, "cut_varying.mkv": 0, "cut_late.mp4": 0, "cut.avi": 0, "cut.webm": 0, "cut_sound.mkv": 0, "damaged.mp4": 0,
	} {
		stamps, missing := readAll(t, at(name))
		if frames > 0 && len(stamps) != frames || frames == 0 && len(stamps) > 120 || len(stamps) == 0 {
			t.Errorf("%s: %d frames, want %d", name, len(stamps), frames)
			continue
		}
		if (missing != nil) != (frames == 0) || missing != nil && !strings.Contains(missing.Error(), "damaged") {
			t.Errorf("%s: %d frames: %v", name, len(stamps), missing)
		}
		for i := 1; i < len(stamps); i++ {
			if stamps[i] <= stamps[i-1] {
				t.Errorf("%s: frame %d at %v after %v", name, i, stamps[i], stamps[i-1])
			}
		}
		// Each frame's time is that of the plain video's, though the decoder holds the last ones until the end.
		if last := stamps[len(stamps)-1].Seconds(); frames == 39 && math.Abs(last-5.88) > .002 || (frames == 150 || frames == 34) && math.Abs(last-5.96) > .002 {
			t.Errorf("%s: the last frame is at %.3f s", name, last)
		}
		if frames == 39 && math.Abs(stamps[30].Seconds()-3.64) > .002 {
			t.Errorf("%s: frame 30 is at %v", name, stamps[30])
		}
	}
}

// A copy keeps time stamps; frames without any follow at the rate.
func TestWriteAt(t *testing.T) {
	for name, k := range map[string]struct{ at, want []float64 }{
		"even":      {[]float64{0, .04, .08, .12}, []float64{0, .04, .08, .12}},
		"varying":   {[]float64{0, .04, .3, .31, 2.5, 2.54}, []float64{0, .04, .3, .31, 2.5, 2.54}},
		"a pause":   {[]float64{0, 3600, 3600.04}, []float64{0, 3600, 3600.04}},
		"none":      {[]float64{0, 0, 0, 0}, []float64{0, .04, .08, .12}},
		"backwards": {[]float64{0, .5, .2, .9}, []float64{0, .5, .54, .9}},
		"below 0":   {[]float64{-1, -1, .5}, []float64{0, .04, .5}},
	} {
		path := filepath.Join(t.TempDir(), "a.mp4")
		w, err := Create(path, 64, 48, 25)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range k.at {
			if err := w.WriteAt(bars(64, 48, i), time.Duration(s*float64(time.Second))); err != nil {
				t.Fatal(name, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		stamps, missing := readAll(t, path)
		if len(stamps) != len(k.want) || missing != nil {
			t.Errorf("%s: %v, %v", name, stamps, missing)
			continue
		}
		for i, s := range stamps {
			if math.Abs(s.Seconds()-k.want[i]) > .001 {
				t.Errorf("%s: frame %d at %v, want %g", name, i, s, k.want[i])
			}
		}
	}
}

// Characters that FFmpeg or OpenCV take for protocols, patterns or options are read and written as they are.
func TestNamesOfVideos(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"cam1-12:30:05.mp4", "file:a.mp4", "http:b.mp4", "concat:c|d.mp4", "e[1].mp4", "f%03d.mp4", "g%d.mp4", "h*?.mp4", "i,j.mp4", "k l.mp4", "m#n.mp4", "o?p=q.mp4", "-r.mp4", "s\"'.mp4",
		`t\u.mp4`, "ü.mp4", "@v.mp4", "pipe:1.mp4", "w=x;y&z.mp4", filepath.Join(dir, "0:1.mp4"), "data:,.mp4"} {
		film(t, name, 64, 48, 4, 25)
		if stamps, missing := readAll(t, name); len(stamps) != 4 || missing != nil {
			t.Errorf("%s: %d frames, %v", name, len(stamps), missing)
		}
	}
	// No name reads another file.
	for _, name := range []string{"absent%d.mp4", "f%d.mp4", "e[0-9].mp4", "*.mp4", "concat:k l.mp4|ü.mp4", "file:k l.mp4"} {
		if r, err := Open(name); err == nil {
			r.Close()
			t.Errorf("%s opens", name)
		}
	}
}

// A file that is no video is an error of this program, without lines of OpenCV's own.
func TestNoVideoIsQuiet(t *testing.T) {
	const child = "RETINAGO_OPEN_EMPTY"
	if path := os.Getenv(child); path != "" {
		if _, err := Open(path); err == nil {
			os.Exit(1)
		}
		return
	}
	for name, content := range map[string]string{"empty.mp4": "", "text.avi": "no video", "zeros.mkv": strings.Repeat("\x00", 1000), "head.mp4": "\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isom"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run", "^TestNoVideoIsQuiet$")
		cmd.Env = append(os.Environ(), child+"="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range []string{"GStreamer", "GSTREAMER", "CV_IMAGES", "CAP_IMAGES"} {
			if strings.Contains(string(out), w) {
				t.Errorf("%s: %s", name, out)
			}
		}
	}
}
