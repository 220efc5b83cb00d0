package recipe

import (
	"cmp"
	"fmt"
	"strings"

	"retinago/config"
	"retinago/internal/kinds"
	"retinago/internal/text"
)

// Kind is a recipe with a name. All recipes are the same but for what a Kind changes.
type Kind struct {
	kinds.Kind
	// Changes is what differs from the recipe Default and why, for the documentation.
	Changes string

	preset   string         // of augmentation, unless the request names one
	policies config.Augment // of augmentation, after the preset
	native   bool           // the network sees windows of the images, unscaled
	wide     bool           // without the narrowest network
	balanced bool           // images with rare classes come more often
	gpu      bool           // for a GPU alone
	batch    int            // images per step at most, unless the request has a number; 0 is the device's default
	length   int            // the time of a run is as many times the default; 0 is once
	epochs   int            // the fewest, where the request gives no length; 0 is fewest
	average  bool           // evaluation and checkpoints have a moving average of the weights
}

// Default is the recipe of requests that name none.
const Default = "few-images"

// Kinds lists the recipes.
var Kinds = []Kind{
	{
		Kind:    kinds.Kind{Name: Default, Text: "some hundred images and a CPU"},
		Changes: "the recipe of the table above",
		preset:  "light",
	},
	{
		Kind: kinds.Kind{Name: "small-objects", Text: "objects of a few pixels on large images"},
		Changes: "the network sees windows of the images, unscaled (policy `crop`), since objects that are scaled down with a large image vanish; anchors are chosen for the " +
			"objects' own pixels; the pyramid begins at stride 4 (`model.p2`) where a tenth of the objects is smaller than 16 px; AP is measured at the end alone, because whole images understate it: `eval` and `detect` need `-tile`, and the recipe prints its value",
		preset: "light", native: true,
	},
	{
		Kind: kinds.Kind{Name: "many-classes", Text: "tens of classes and more"},
		Changes: "at least 128 channels in the pyramid and four layers in the heads, since the scores of all classes are read from the same channels; twice the time and at least " +
			"24 epochs, since each class has a small share of the objects",
		preset: "light", wide: true, length: 2, epochs: 24,
	},
	{
		Kind: kinds.Kind{Name: "long-tail", Text: "classes of which some are rare"},
		Changes: "`data.sampler` `repeat_factor` with the median class's share of the images as its threshold: images with a class rarer than the median come more often " +
			"(Gupta et al. 2019); policy `copy_paste`, which takes objects of rare classes more often; the loss stays focal, since loss and sampler would correct the same imbalance twice",
		preset: "light", policies: config.Augment{{Name: "copy_paste"}}, balanced: true,
	},
	{
		Kind: kinds.Kind{Name: "gpu", Text: "a GPU and hours"},
		Changes: "batches of up to 32; preset `lsj`, which needs 50 epochs and more; three times the time; an average of the weights over a twentieth of the run (`train.ema`), which takes out the noise of the last steps. " +
			"The precision of a GPU is bf16 unless `-precision` names another",
		preset: "lsj", gpu: true, batch: 32, length: 3, epochs: 50, average: true,
	},
}

// Find returns the recipe with a name.
func Find(name string) (Kind, error) { return kinds.Find(Kinds, "recipe", name) }

// CheckDevice returns an error if the recipe needs another device than the one with a name, cpu or cuda:N; empty is cpu.
func (k Kind) CheckDevice(name string) error {
	if k.gpu && !onGPU(name) {
		return fmt.Errorf("recipe %s is for a GPU, and the device is %s: give -device cuda:0, or another recipe", k.Name, cmp.Or(name, "cpu"))
	}
	return nil
}

// onGPU reports whether the device with a name is a GPU.
func onGPU(name string) bool { return strings.HasPrefix(name, "cuda") }

// Table is the table of the recipes in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| recipe | for | what differs, and why |\n|---|---|---|\n")
	for _, k := range Kinds {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.Text, k.Changes)
	}
	return b.String()
}

// Bounds of a dataset from which another recipe is suggested.
const (
	smallSide   = 32  // px: median side of the objects, COCO's bound of small ones
	largeImage  = 640 // px: median short side of the images
	longTail    = 20  // objects of the most frequent class over those of the rarest
	manyClasses = 20  // classes
)

// suggestion returns the recipe that fits a dataset and a device better than Default and the reason, or empty texts.
func (l look) suggestion(gpu bool) (name, why string) {
	switch {
	case l.side > 0 && l.side < smallSide && l.short >= largeImage:
		return "small-objects", fmt.Sprintf("half of the objects have a side of at most %.0f px, and the images are large: their short side is %.0f px", l.side, l.short)
	case l.leastObjects > 0 && l.mostObjects > longTail*l.leastObjects:
		return "long-tail", fmt.Sprintf("the class %q has %s, %q has %d", l.frequent, text.Count(l.mostObjects, "object"), l.scarce, l.leastObjects)
	case l.classes >= manyClasses:
		return "many-classes", fmt.Sprintf("there are %s", text.Count(l.classes, "class"))
	case gpu:
		return "gpu", "there is a GPU, if there are hours too"
	}
	return "", ""
}
