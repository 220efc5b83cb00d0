package serve

import (
	"fmt"
	"strings"
	"testing"

	"retinago/internal/media/picture"
)

// The page's colours of classes are those of the images that the server draws.
func TestPageColours(t *testing.T) {
	b, err := web.ReadFile("web/app.js")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(b), "const palette = `")
	list, _, _ = strings.Cut(list, "`")
	page := strings.Fields(list)
	if len(page) == 0 || picture.Color(len(page)) != picture.Color(0) {
		t.Fatalf("the page has %d colours", len(page))
	}
	for k, got := range page {
		if c := picture.Color(k); got != fmt.Sprintf("%02X%02X%02X", c[0], c[1], c[2]) {
			t.Errorf("class %d is %s on the page and %v on pictures", k, got, c)
		}
	}
}
