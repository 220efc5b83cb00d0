package source

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// pictures and videos are the endings of files that are read from a folder. An image that is named itself may have any.
var (
	pictures = picture.Endings
	videos   = []string{".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".mpv", ".ts", ".mts", ".m2t", ".m2ts", ".vob",
		".wmv", ".asf", ".flv", ".f4v", ".ogv", ".ogm", ".3gp", ".3g2", ".mxf", ".mjpeg", ".mjpg", ".y4m", ".h264", ".264", ".h265", ".265", ".hevc", ".dav"}
)

// foreign are the endings of images that are not read, by what they are.
var foreign = map[string][]string{
	"HEIC or HEIF":                {".heic", ".heif", ".heics", ".heifs", ".hif"},
	"AVIF":                        {".avif", ".avifs"},
	"JPEG 2000":                   {".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jpm"},
	"JPEG XL":                     {".jxl"},
	"JPEG XR":                     {".jxr", ".wdp", ".hdp"},
	"JPEG-LS":                     {".jls"},
	"a camera's raw format":       {".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".rwl", ".raf", ".pef", ".srw", ".3fr", ".fff", ".iiq", ".kdc", ".dcr", ".erf", ".mrw", ".x3f", ".gpr"},
	"Photoshop's or GIMP's":       {".psd", ".psb", ".xcf"},
	"OpenEXR or Radiance":         {".exr", ".hdr", ".pic"},
	"a portable pixel map":        {".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm"},
	"BigTIFF":                     {".btf", ".tf8"},
	"TGA, PCX or SGI":             {".tga", ".pcx", ".sgi", ".ras"},
	"DDS":                         {".dds"},
	"QOI, BPG or FLIF":            {".qoi", ".bpg", ".flif"},
	"DICOM":                       {".dcm", ".dicom"},
	"a slide of a microscope":     {".svs", ".ndpi", ".scn", ".mrxs", ".czi"},
	"FITS":                        {".fits", ".fit", ".fts"},
	"an animation of PNG or JPEG": {".mng", ".jng"},
}

// errUnread is the cause of the error for an image of a format that is not read, and errOther for a file that is neither image nor video.
var (
	errUnread = errors.New("its format is not read")
	errOther  = errors.New("neither image nor video")
)

type ending int

const (
	other     ending = iota
	unknown          // without an ending: the first bytes decide
	isPicture        //
	isVideo
	isUnread
)

// kindOf is what a file's name says of it.
func kindOf(path string) ending {
	e := extension(path)
	if strings.HasPrefix(filepath.Base(path), "._") {
		return other // what macOS keeps of a file on a foreign disk; it has no pixels
	}
	switch {
	case hasExtension(path, pictures):
		return isPicture
	case hasExtension(path, videos):
		return isVideo
	case foreignKind(e) != "":
		return isUnread
	case strings.Trim(e, ".0123456789") == "" && !strings.HasPrefix(filepath.Base(path), "."): // none, or that of frame.0001
		return unknown
	}
	return other
}

func hasExtension(path string, list []string) bool { return slices.Contains(list, extension(path)) }

// extension is the lower-case ending of a name, of what was downloaded from an address without its query.
func extension(path string) string {
	e, _, _ := strings.Cut(strings.ToLower(filepath.Ext(path)), "?")
	return e
}

func foreignKind(extension string) string {
	for kind, endings := range foreign {
		if slices.Contains(endings, extension) {
			return kind
		}
	}
	return ""
}

// unread is why a file of a folder is not read: nil for one that is. Without an ending, and where the ending is of a format that is not
// read, the first bytes decide: phones and programs call JPEGs .heic.
func unread(path string) error {
	switch kindOf(path) {
	case isPicture, isVideo:
		return nil
	case other:
		return errOther
	case unknown:
		b := begin(path)
		if picture.Known(b) {
			return nil
		}
		if what, pixels := picture.Foreign(b); pixels {
			return fmt.Errorf("source: %s: %w: %s", path, errUnread, what)
		}
		return errOther
	}
	if b := begin(path); picture.Known(b) && b[0] != 'I' && b[0] != 'M' { // raw files begin as TIFFs do
		return nil
	}
	return fmt.Errorf("source: %s: %w (%s): convert it to JPEG or PNG", path, errUnread, foreignKind(extension(path)))
}

// begin is the first bytes of a file, none where it cannot be read.
func begin(path string) []byte {
	f, _, err := file.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, 512)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return b[:n]
}
