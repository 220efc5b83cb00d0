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

// sums are the whole SHA-256 of published files, each as two or more projects that use the file state it. No whole sum of the others is
// published, only the digits in their names.
var sums = map[string]string{
	"retinanet_resnet50_fpn_coco-eeacb38b":    "eeacb38b7cec8cf93c57867e05eaab621047f19b0d2ec5accaa405f690da15b7",
	"retinanet_resnet50_fpn_v2_coco-5905b1c5": "5905b1c544219215e544dbe319720397bc4e68de61a733a59350d7976645b769",
	"resnet18-f37072fd":                       "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
	"resnet34-b627a593":                       "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
	"resnet50-0676ba61":                       "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
	"resnet50-11ad3fa6":                       "11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
	"resnet101-63fe2227":                      "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
	"resnet101-cd907fc2":                      "cd907fc2a0de2292b2ba2b27d2216bc672d84632d1cf20058d01c0c03b5e020e",
	"resnet152-394f9c45":                      "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
	"mobilenet_v2-b0353104":                   "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
	"mobilenet_v2-7ebf99e0":                   "7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f",
}

// File is something to fetch.
type File struct {
	Name   string // file name, "resnet18-f37072fd.pth"
	URL    string
	SHA256 string // in hex digits: all 64, or at least the first 8 where no more are known
}

// wholeSum is how many digits a SHA-256 has.
const wholeSum = 64

var hex64 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// With is the file with a whole SHA-256 that its user knows. It begins with the digits in the file's name.
func (f File) With(sum string) (File, error) {
	sum = strings.ToLower(sum)
	digits := hashed.FindStringSubmatch(strings.TrimSuffix(f.Name, ".pth"))
	if !hex64.MatchString(sum) || digits == nil || !strings.HasPrefix(sum, digits[2]) {
		return File{}, fmt.Errorf("fetch: SHA-256 %q of %s: give all 64 hex digits, which begin as those in the name do", sum, f.Name)
	}
	f.SHA256 = sum
	return f, nil
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
	f := File{Name: full + ".pth", URL: strings.TrimSuffix(mirror, "/") + "/" + full + ".pth", SHA256: m[2]}
	if sum, ok := sums[full]; ok {
		f.SHA256 = sum
	}
	return f, nil
}
