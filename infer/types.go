package infer

import (
	"context"
	"image"
	"iter"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
	"retinago/internal/model/quant"
)

// Names of this package for types that it takes and returns and that stand in internal packages.
type (
	// Picture is an 8-bit RGB image, upright: Pix is [H,W,3].
	Picture = picture.Picture
	// Size is a width and a height in pixels.
	Size = data.Size
	// Frame is an image file or a frame of a video, as Stream takes it.
	Frame = source.Frame
	// Sources are images, videos, folders, cameras and streams; their Frames are for Stream.
	Sources = source.Set
	// SourceOptions configures OpenSources.
	SourceOptions = source.Options
	// Video is the source of the frames of one video, camera or stream.
	Video = source.Video
	// Mark is a box with a label and the index of a colour, to be drawn.
	Mark = picture.Mark
	// Dataset is an annotated dataset, which Evaluate reads.
	Dataset = data.Dataset
	// QuantizeOptions configures Quantize.
	QuantizeOptions = quant.Options
)

// NewPicture returns a black image of w x h pixels.
func NewPicture(w, h int) *Picture { return picture.New(w, h) }

// FromImage copies any of Go's images. Transparency is dropped.
func FromImage(m image.Image) *Picture { return picture.FromImage(m) }

// Draw draws marks onto an image, the last on top. Labels cover neither small objects nor each other; where there is no room they are left
// out, those of the first marks before those of the last.
func Draw(p *Picture, marks []Mark) error { return picture.Draw(p, marks) }

// Files returns the frames of image files, for Stream.
func Files(paths ...string) func(context.Context) iter.Seq[Frame] { return source.Paths(paths) }

// OpenSources opens images, videos, folders, globs, cameras (cam:0) and addresses of streams (rtsp://...), as retinago detect does.
func OpenSources(names []string, o SourceOptions) (*Sources, error) { return source.Open(names, o) }

// OpenDataset opens one of a configuration's sets of annotated images, such as c.Val.
func OpenDataset(c config.Data, s config.Set) (*Dataset, error) { return data.Open(data.Source(c, s)) }
