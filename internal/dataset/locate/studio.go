package locate

import (
	"net/url"
	"path"
	"regexp"
)

// Names that Label Studio gives to images: of its own copies, upload/PROJECT/8 HEX DIGITS-NAME below a folder of the server, and of files that it
// serves from a folder, /data/local-files/?d=PATH.
var (
	upload     = regexp.MustCompile(`(?:^|/)(upload/[0-9]+/[^/]+)$`)
	localFiles = regexp.MustCompile(`/local-files/?\?d=([^&]+)`)
	copied     = regexp.MustCompile(`^[0-9a-f]{8}-(.+)$`)
)

// uploaded is a name of Label Studio's copies as an absolute path, of which every end may lie below the folder; others are returned as they are.
func uploaded(name string) string {
	if m := upload.FindStringSubmatch(name); m != nil {
		return "/" + m[1]
	}
	return name
}

// served is the path of a file that Label Studio serves; other names are returned as they are.
func served(name string) string {
	m := localFiles.FindStringSubmatch(name)
	if m == nil {
		return name
	}
	if p, err := url.QueryUnescape(m[1]); err == nil {
		return "/" + p
	}
	return "/" + m[1]
}

// original is the name that an image had before Label Studio copied it, "" for other names.
func original(name string) string {
	dir, file := path.Split(name)
	if m := copied.FindStringSubmatch(file); m != nil {
		return dir + m[1]
	}
	return ""
}
