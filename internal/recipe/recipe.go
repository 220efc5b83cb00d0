package recipe

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"retinago/anchors"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/device"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/memory"
	"retinago/internal/text"
	"retinago/train"
)

// Request is what a user has said. Zero values leave the choice to Make.
type Request struct {
	Train, Val convert.Source // the classes that Train selects are those of the run
	Size       int            // short side of the images, px
	Epochs     int            // length of the run
	Time       time.Duration  // length of the run on this machine, instead of Epochs
	Batch      int            // images per step
	Device     string         // cpu or cuda:N
	Precision  string         // of a GPU
	Init       string         // file of weights to start from; NoInit starts from random ones
	Augment    string         // a name of augment.Presets, instead of the recipe's preset
	Settings   []string       // overrides ("train.lr=.005") that the caller applies to the Recipe: a step is measured with them
	Recipe     string         // a name of Kinds; empty is Default, with a suggestion of another one where that fits the dataset better
	// Find returns a file with the ImageNet weights of a backbone, or why there is none. It is asked where Init is empty; nil has none.
	Find func(ctx context.Context, backbone string) (path string, err error)
	Run  data.Run  // how the datasets are examined
	Log  io.Writer // receives what is done on the way
}

// NoInit is the Request.Init of a network that starts from random weights.
const NoInit = "none"

// Choice is a setting that was chosen, and the reason.
type Choice struct{ What, Why string }

// Recipe is a configuration with the reasons for it.
type Recipe struct {
	Config  config.Config
	Choices []Choice
	Took    time.Duration // that the run will take, about
}

// Length of a run where the user gives none.
const (
	cpuTime = 12 * time.Minute
	gpuTime = time.Hour
)

const (
	heldOut = .15 // of the images, where there is no validation set
	// fewest is the epochs below which a detector has not learned its classes.
	fewest = 12
	// seen is how many px the side of a small object should have.
	seen = 16
	// averaged is the share of a run that an average of the weights is over.
	averaged = .05
	// Bounds of the decay of an average: a run of few steps needs a fast one.
	leastEMA, mostEMA = .9, .9998
)

// Make looks at the dataset, measures the machine and returns a configuration that validates.
func Make(ctx context.Context, r Request) (*Recipe, error) {
	m := &maker{Request: r, out: &Recipe{Config: config.Default()}}
	if m.Log == nil {
		m.Log = io.Discard
	}
	if err := m.find(); err != nil {
		return nil, err
	}
	for _, f := range []func(context.Context) error{m.datasets, m.named, m.base, m.pictures, m.sampler, m.network, m.anchors, m.schedule} {
		if err := f(ctx); err != nil {
			return nil, err
		}
	}
	c := m.out.Config
	c.Model.Classes, c.Model.CategoryIDs = nil, nil // of the dataset, when it is opened
	m.out.Config = c
	return m.out, train.Validate(c)
}

// maker is a Request on its way to a Recipe.
type maker struct {
	Request
	kind  Kind
	out   *Recipe
	train *data.Dataset
	val   *data.Dataset // nil without one
	look  look
	model *detector.Info // of Init where that is a detector
	took  time.Duration  // of a step of the chosen network
	// length is the images of an epoch.
	length int
}

func (m *maker) because(what, why string, a ...any) {
	m.out.Choices = append(m.out.Choices, Choice{what, fmt.Sprintf(why, a...)})
}

// datasets opens the data, holds out a validation set where there is none, and describes both.
func (m *maker) datasets(ctx context.Context) (err error) {
	c := &m.out.Config
	c.Data.Train, c.Data.Classes, c.Data.Rename = set(m.Train), m.Train.Select.Keep, m.Train.Select.Rename
	if m.train, err = data.OpenFor(ctx, m.Train, m.Run); err != nil {
		return err
	}
	switch {
	case m.Val.Path != "":
		c.Data.Val = set(m.Val)
		if m.val, err = data.OpenFor(ctx, m.Val, m.Run); err != nil {
			return err
		}
		m.because("validation", "%s, %s", m.val.Path(), text.Count(m.val.Len(), "image"))
	case m.train.Len() >= 10:
		c.Data.ValShare = heldOut
		if m.train, m.val, err = m.train.HoldOut(c.Data.ValShare, c.Data.ValSeed); err != nil {
			return err
		}
		m.because("validation", "%d of %d images are held out, since there is no validation set", m.val.Len(), m.val.Len()+m.train.Len())
	default:
		m.because("validation", "none: %d images are too few to hold any out", m.train.Len())
	}
	m.look = lookAt(m.train)
	if m.look.objects == 0 {
		return fmt.Errorf("%s: there is no object to learn in %d images; `retinago data check` says what was read", m.train.Path(), m.look.pictures)
	}
	for _, k := range m.train.Categories() {
		c.Model.Classes = append(c.Model.Classes, k.Name)
		c.Model.CategoryIDs = append(c.Model.CategoryIDs, k.ID)
	}
	return nil
}

// set is a source as a configuration has it.
func set(s convert.Source) config.Set {
	return config.Set{Source: s.Path, Format: s.Format, Images: s.Images, Split: s.Split, Classes: s.Classes, Difficult: string(s.Difficult)}
}

// base is what all recipes have: torchvision's second RetinaNet (group norm in the heads, AdamW).
func (m *maker) base(context.Context) error {
	c := &m.out.Config
	c.Model.P6From, c.Model.HeadNorm = "p5", "group"
	c.Loss.Box, c.Loss.Normalizer = "l1", "positives"
	c.Train.Optimizer, c.Train.WeightDecay, c.Train.DecayNormBias = "adamw", .05, true
	c.Train.Schedule, c.Train.ClipNorm, c.Train.WarmupFactor = "cosine", 10, .01
	asked, err := m.with(*c)
	if err != nil {
		return err
	}
	if asked.Train.Batch != c.Train.Batch {
		m.Batch = asked.Train.Batch
	}
	c.Train.Batch = m.Batch
	if m.Batch == 0 {
		c.Train.Batch = 8
		if m.gpu() {
			c.Train.Batch = 16
		}
		c.Train.Batch = cmp.Or(m.kind.batch, c.Train.Batch)
		for c.Train.Batch > 2 && m.look.pictures < 10*c.Train.Batch {
			c.Train.Batch /= 2
		}
	}
	c.Train.BaseBatch = c.Train.Batch
	if m.kind.average {
		c.Train.EMA = mostEMA // of the memory that is measured; schedule has the decay
	}
	if err := m.augment(); err != nil {
		return err
	}
	return m.initial()
}

// with is a configuration with the settings of the caller.
func (m *maker) with(c config.Config) (config.Config, error) {
	if len(m.Settings) == 0 {
		return c, nil
	}
	err := c.Set(m.Settings)
	return c, err
}

// initial reads what Init is: a detector keeps its network and the size of its images.
func (m *maker) initial() error {
	if m.Init == "" || m.Init == NoInit {
		return nil
	}
	info, err := detector.ReadInfo(m.Init)
	if err != nil {
		return nil // the weights of a backbone
	}
	m.model = &info
	c := &m.out.Config
	classes, ids := c.Model.Classes, c.Model.CategoryIDs
	c.Model = info.Config.Model
	c.Model.Classes, c.Model.CategoryIDs = classes, ids
	c.Data.Mean, c.Data.Std = info.Config.Data.Mean, info.Config.Data.Std
	return nil
}

func (m *maker) gpu() bool { return onGPU(m.Device) }

// pictures chooses the size at which the network sees the images.
func (m *maker) pictures(context.Context) error {
	if m.kind.native {
		m.windows()
		return nil
	}
	d := &m.out.Config.Data
	least, most := 320, 512
	if m.gpu() {
		least, most = 320, 800
	}
	most = max(min(most, up(m.look.short)), 64)
	least = min(least, most)
	side := min(max(up(seen/m.look.small), least), most)
	why := "nine of ten objects are at least %.0f px large then"
	switch {
	case m.Size > 0:
		side, why = m.Size, "as asked for; nine of ten objects are at least %.0f px large then"
	case m.model != nil:
		side, why = m.model.Config.Data.TestSide(), "as "+m.Init+" was trained; nine of ten objects are at least %.0f px large"
	case side < up(seen/m.look.small) && !m.gpu() && float64(most) < m.look.short:
		why += "; a larger -size finds smaller ones and takes longer"
	}
	m.size(side)
	m.because(fmt.Sprintf("images of %d px", d.TestSide()), why, float64(side)*m.look.small)
	return nil
}

// size sets the size of the images.
func (m *maker) size(side int) {
	d := &m.out.Config.Data
	d.ShortSides = []int{side}
	d.MaxSide = up(float64(side) * min(max(m.look.aspect, 1), 2))
	d.CanvasMultiple = 32
	if side >= 600 {
		d.CanvasMultiple = 128
	}
}

// up is the next multiple of 32 px.
func up(v float64) int { return int(math.Ceil(v/32)) * 32 }

// anchors chooses the anchors for the chosen size.
func (m *maker) anchors(context.Context) error {
	if m.model != nil {
		m.because("anchors", "those of %s", m.Init)
		return nil
	}
	objects, err := m.objects()
	if err != nil {
		return err
	}
	a, why, err := chooseAnchors(paperAnchors(m.out.Config.Model.P2), objects)
	if err != nil {
		return err
	}
	m.out.Config.Model.Anchors = a
	m.because("anchors", "%s", why)
	return nil
}

// objects returns the objects of the training images as the network sees them.
func (m *maker) objects() ([]anchors.Picture, error) {
	if m.kind.native {
		return m.natural(), nil
	}
	objects, _, err := data.Scaled(m.train.COCO(), m.out.Config.Data)
	return objects, err
}

// canvas is the largest canvas of the training images.
func (m *maker) canvas(c config.Config) (h, w int) {
	d := c.Data
	for i := range m.train.Len() {
		im := m.train.Image(i)
		s := data.Resized(data.Size{W: im.Width, H: im.Height}, d.TestSide(), d.MaxSide)
		h, w = max(h, s.H), max(w, s.W)
	}
	k := d.CanvasMultiple
	return (h + k - 1) / k * k, (w + k - 1) / k * k
}

// room reports whether a run fits into the memory that there is.
func (m *maker) room(b train.Budget) bool {
	have := memory.ForProcess().Bytes
	return m.gpu() || have <= 0 || b.Total() <= have
}

// device is where the run will be.
func (m *maker) device() device.Options {
	return device.Options{Name: m.Device, Precision: m.Precision, Warn: func(err error) { fmt.Fprintln(m.Log, err) }}
}

// Text lists the choices, one a line, below a heading.
func (r *Recipe) Text() string {
	var b strings.Builder
	wide := 0
	for _, c := range r.Choices {
		wide = max(wide, len(c.What))
	}
	for _, c := range r.Choices {
		fmt.Fprintf(&b, "%-*s  %s\n", wide, c.What, c.Why)
	}
	return b.String()
}
