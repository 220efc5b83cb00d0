package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"retinago/internal/file"
)

// Page is one HTML file.
type Page struct {
	Title    string
	Lead     string // a sentence below the title
	Sections []Section
}

// Section has a heading, an introduction and blocks.
type Section struct {
	Title  string
	Words  string
	Blocks []Block
}

// Block is a part of a section: Text, List, Tiles, Table or Figures.
type Block interface {
	html() (template.HTML, error)
}

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var templates = template.Must(template.New("page").Funcs(template.FuncMap{
	"draw": func(b Block) (template.HTML, error) { return b.html() },
	"id":   func(i int) string { return fmt.Sprintf("part%d", i+1) },
}).Parse(pageSource))

// HTML returns the whole document.
func (p Page) HTML() (string, error) {
	var b strings.Builder
	err := templates.ExecuteTemplate(&b, "page", struct {
		Page
		Style  template.CSS
		Script template.JS
	}{p, template.CSS(themeStyle() + pageStyle), template.JS(pageScript)})
	if err != nil {
		return "", fmt.Errorf("report %q: %w", p.Title, err)
	}
	return b.String(), nil
}

// Save writes the document. It replaces the file whole or not at all.
func (p Page) Save(path string) error {
	text, err := p.HTML()
	if err != nil {
		return err
	}
	return file.WriteBytes(path, []byte(text))
}

// fill runs a block's template.
func fill(name string, data any) (template.HTML, error) {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// Text is a paragraph.
type Text string

func (t Text) html() (template.HTML, error) { return fill("text", t) }

// List is a list of short texts.
type List []string

func (l List) html() (template.HTML, error) { return fill("list", l) }

// Tiles are single numbers, side by side.
type Tiles []Tile

// Tile is a number with its name above and its meaning below.
type Tile struct{ Name, Value, Meaning string }

func (t Tiles) html() (template.HTML, error) { return fill("tiles", t) }
