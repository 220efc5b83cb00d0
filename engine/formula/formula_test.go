package formula_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"retinago/anchors"
	"retinago/engine"
	"retinago/engine/formula"
	"retinago/loss"
)

func text(t *testing.T, header string) string {
	t.Helper()
	b, err := formula.Headers.ReadFile(header)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Go's constants are those of constants.h, and every number of constants.h is compared.
func TestConstants(t *testing.T) {
	want := map[string]int{
		"IDENTITY": int(engine.Identity), "RECTIFIED": int(engine.Rectified), "SWISH": int(engine.Swish),
		"FOCAL_STAR": int(engine.FocalStar), "SOFTMAX": int(engine.Softmax), "QUALITY_FOCAL": int(engine.QualityFocal), "VARIFOCAL": int(engine.Varifocal),
		"IOU": int(engine.IoU), "LOG_IOU": int(engine.LogIoU), "GIOU": int(engine.GIoU), "DIOU": int(engine.DIoU), "CIOU": int(engine.CIoU),
		"BACKGROUND": loss.Background, "IGNORED": loss.Ignored,
		"MOST_LEVELS": engine.MostLevels, "MOST_NEAREST": engine.MostNearest, "MOST_LOSS_SCALE": engine.LossScaleMost,
	}
	cgo := []string{"MOST_THREADS", "ANY_ROW", "OBJECT_ROW", "BACKGROUND_ROW", "FOUND_COLUMNS", "DIGIT_BINS"} // engine/cuda reads them from the header itself
	h := text(t, "constants.h")
	for _, m := range regexp.MustCompile(`\b([A-Z][A-Z0-9_]*) = (-?\d+)`).FindAllStringSubmatch(h, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		w, ok := want[m[1]]
		if delete(want, m[1]); !ok && !slices.Contains(cgo, m[1]) || ok && w != n {
			t.Errorf("%s is %d in constants.h, Go has %d (known: %v)", m[1], n, w, ok)
		}
	}
	if len(want) > 0 {
		t.Errorf("constants.h lacks %v", want)
	}
	m := regexp.MustCompile(`#define BOX_CLAMP (\S+)f\n`).FindStringSubmatch(h)
	if m == nil {
		t.Fatal("constants.h has no BOX_CLAMP")
	}
	if v, err := strconv.ParseFloat(m[1], 32); err != nil || float32(v) != anchors.NewCoder().Clamp {
		t.Errorf("BOX_CLAMP is %s, the coder has %v", m[1], anchors.NewCoder().Clamp)
	}
}

// Losses are the functions of binary.h, and those of the table of package loss.
func TestLosses(t *testing.T) {
	names := formula.Losses()
	for _, n := range names {
		if !strings.Contains(text(t, "binary.h"), "FORMULA float "+n+"_loss(") {
			t.Errorf("binary.h lists %s and has no %s_loss", n, n)
		}
	}
	var used []string
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		for _, smoothing := range []float64{0, .1} {
			p := loss.DefaultParams()
			p.Smoothing = smoothing
			if b, ok := k.Class(p).(loss.Binary); ok {
				n := b.Formula().Name
				if n == "" {
					n = "focal"
				}
				used = append(used, n)
			}
		}
	}
	slices.Sort(used)
	if have := slices.Sorted(slices.Values(names)); !slices.Equal(have, slices.Compact(used)) {
		t.Errorf("binary.h has the losses %v, the table of package loss %v", have, used)
	}
}
