package picture

import (
	"bytes"
	"fmt"
)

// Endings are those of the files that are read, in lower case.
var Endings = []string{".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp"}

// signature is bytes at the begin of a file.
type signature struct {
	at   int
	text string
	kind string // what the file is
	cure string // what to do with it
}

const convert = "convert it to JPEG or PNG"

// signatures are those of files that are taken for images and are not read. A brand of the ISO base media format (ISO/IEC 14496-12,
// section 4.3) stands at byte 8.
var signatures = []signature{
	{4, "ftypheic", "a HEIC image", convert}, {4, "ftypheix", "a HEIC image", convert}, {4, "ftypheim", "a HEIC image", convert},
	{4, "ftypheis", "a HEIC image", convert}, {4, "ftyphevc", "a HEIC image", convert}, {4, "ftyphevx", "a HEIC image", convert},
	{4, "ftypmif1", "a HEIF image", convert}, {4, "ftypmsf1", "a HEIF image", convert},
	{4, "ftypavif", "an AVIF image", convert}, {4, "ftypavis", "an AVIF image", convert},
	{4, "ftypcrx ", "a camera's raw file", convert},
	{4, "ftyp", "a video", "give it a video's ending, such as .mp4"},
	{0, "\x1aE\xdf\xa3", "a Matroska or WebM video", "give it the ending .mkv or .webm"},
	{0, "\x00\x00\x00\x0cJXL ", "a JPEG XL image", convert}, {0, "\xff\x0a", "a JPEG XL image", convert},
	{0, "\x00\x00\x00\x0cjP  ", "a JPEG 2000 image", convert}, {0, "\xff\x4f\xff\x51", "a JPEG 2000 image", convert},
	{0, "II\xbc", "a JPEG XR image", convert},
	{0, "II+\x00", "a BigTIFF image", convert}, {0, "MM\x00+", "a BigTIFF image", convert},
	{0, "IIRO", "a camera's raw file", convert}, {0, "IIU\x00", "a camera's raw file", convert}, {0, "FUJIFILMCCD-RAW", "a camera's raw file", convert},
	{0, "8BPS", "a Photoshop image", convert}, {0, "gimp xcf", "a GIMP image", convert},
	{0, "v/1\x01", "an OpenEXR image", convert}, {0, "#?RADIANCE", "a Radiance HDR image", convert},
	{0, "DDS ", "a DDS image", convert}, {0, "BPG\xfb", "a BPG image", convert}, {0, "FLIF", "a FLIF image", convert}, {0, "qoif", "a QOI image", convert},
	{0, "P1\n", "a PBM image", convert}, {0, "P2\n", "a PGM image", convert}, {0, "P3\n", "a PPM image", convert},
	{0, "P4\n", "a PBM image", convert}, {0, "P5\n", "a PGM image", convert}, {0, "P6\n", "a PPM image", convert}, {0, "P7\n", "a PAM image", convert},
	{0, "\x00\x00\x01\x00", "an icon", convert}, {0, "icns", "an icon", convert}, {0, "SIMPLE  =", "a FITS image", convert}, {128, "DICM", "a DICOM image", convert},
	{0, "\x00\x05\x16\x07", "the resource fork of a file of macOS, which has no pixels", "leave it out"},
	{0, "%PDF", "a PDF document", "save its pages as JPEG or PNG"}, {0, "%!PS", "a PostScript document", "save its pages as JPEG or PNG"},
	{0, "<svg", "an SVG drawing", "save it as PNG"}, {0, "<?xml", "an XML document", "give the image itself"},
	{0, "<!doctype html", "a web page", "download the image itself"}, {0, "<html", "a web page", "download the image itself"},
	{0, "version https://git-lfs", "a pointer of Git LFS", "get the image with git lfs pull"},
	{0, "PK\x03\x04", "a ZIP archive", "unpack it"}, {0, "\x1f\x8b", "a gzip archive", "unpack it"}, {257, "ustar", "a tar archive", "unpack it"},
}

// Foreign says of the first bytes of a file what it is and what to do with it, where it is of a known format that is not read; else text
// is empty. pixels reports whether it is an image.
func Foreign(b []byte) (text string, pixels bool) {
	if len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "AVI " {
		return "it is an AVI video: give it the ending .avi", false
	}
	for _, s := range signatures {
		if len(b) >= s.at+len(s.text) && bytes.EqualFold(b[s.at:s.at+len(s.text)], []byte(s.text)) {
			return fmt.Sprintf("it is %s: %s", s.kind, s.cure), s.cure == convert
		}
	}
	return "", false
}

// Known reports whether a file begins with these bytes as an image does that is read.
func Known(b []byte) bool {
	for _, s := range []string{"\xff\xd8\xff", pngSignature, "GIF87a", "GIF89a", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(b, []byte(s)) {
			return true
		}
	}
	return len(b) >= 16 && (string(b[:4]) == "RIFF" && string(b[8:15]) == "WEBPVP8" || string(b[:2]) == "BM" && string(b[6:10]) == "\x00\x00\x00\x00")
}
