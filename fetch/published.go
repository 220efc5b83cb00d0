package fetch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Origin is where torchvision's files are published.
const Origin = "https://download.pytorch.org/models/"

// Published are the names of torchvision's files that the project has a place for: detectors, and classifiers of
// ImageNet for train.init_weights. Where there are two, the first is the older recipe.
func Published() []string { return slices.Clone(published) }

var published = []string{
	"retinanet_resnet50_fpn_coco-eeacb38b", "retinanet_resnet50_fpn_v2_coco-5905b1c5",
	"resnet18-f37072fd", "resnet34-b627a593", "resnet50-0676ba61", "resnet50-11ad3fa6", "resnet101-63fe2227", "resnet101-cd907fc2",
	"resnet152-394f9c45", "resnet152-f82ba261", "resnext50_32x4d-7cdf4587", "resnext50_32x4d-1a0047aa",
	"resnext101_32x8d-8ba56ff5", "resnext101_32x8d-110c445d", "resnext101_64x4d-173b62eb",
	"mobilenet_v2-b0353104", "mobilenet_v2-7ebf99e0",
}

// File is something to fetch.
type File struct {
	Name   string // file name, "resnet18-f37072fd.pth"
	URL    string
	SHA256 string // the first hex digits of the sum, at least 8
}

// Names end in the first 8 hex digits of the file's SHA-256, as torch.hub has them.
var hashed = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)-([0-9a-f]{8,64})$`)

// Find returns the file of a name: one of Published, with or without its hash, or any other that carries its hash.
// mirror is the folder's address instead of Origin, "" for Origin.
func Find(name, mirror string) (File, error) {
	if mirror == "" {
		mirror = Origin
	}
	if !strings.HasPrefix(mirror, "http://") && !strings.HasPrefix(mirror, "https://") {
		return File{}, fmt.Errorf("fetch: the mirror %q is no address: it begins with http:// or https://", mirror)
	}
	full := strings.TrimSuffix(name, ".pth")
	for _, p := range published {
		if base, _, _ := strings.Cut(p, "-"); full == base || full+"_coco" == base {
			full = p
			break
		}
	}
	m := hashed.FindStringSubmatch(full)
	if m == nil {
		return File{}, fmt.Errorf("fetch: %q is not published, and does not end in the first 8 digits of a SHA-256 as other files' names must; there are %s",
			name, strings.Join(published, ", "))
	}
	return File{Name: full + ".pth", URL: strings.TrimSuffix(mirror, "/") + "/" + full + ".pth", SHA256: m[2]}, nil
}
