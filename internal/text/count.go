package text

import "fmt"

// plurals are those that do not end in s alone.
var plurals = map[string]string{"batch": "batches", "box": "boxes", "category": "categories", "class": "classes",
	"image or frame": "images and frames"}

// Count is a number of things with their name, which is given in the singular: "1 epoch", "12 epochs", "2 batches".
func Count[N int | int64 | float64](n N, name string) string {
	if n == 1 {
		return "1 " + name
	}
	if plural, ok := plurals[name]; ok {
		return fmt.Sprintf("%v %s", n, plural)
	}
	return fmt.Sprintf("%v %ss", n, name)
}
