package picture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A C++ exception that reaches C or Go ends the program. gocv's functions let them out, so that the program calls only those of them
// that do nothing, and all others of OpenCV through functions that catch everything.
func TestExceptionsStayInside(t *testing.T) {
	harmless := map[string]bool{"OpenCVVersion": true, "Mat": true, "NewMat": true, "IMReadColor": true, "IMReadIgnoreOrientation": true,
		"VideoCaptureAPI": true, "VideoCaptureAny": true, "VideoCaptureFFmpeg": true}
	files := token.NewFileSet()
	importers := 0
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			if p, _ := strconv.Unquote(im.Path.Value); p != "gocv.io/x/gocv" {
				continue
			}
			importers++
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "gocv" && !harmless[s.Sel.Name] {
					t.Errorf("%s: gocv.%s lets exceptions out", files.Position(n.Pos()), s.Sel.Name)
				}
				return true
			})
		}
		return nil
	})
	if err != nil || importers == 0 {
		t.Errorf("%d files import gocv, %v", importers, err)
	}
	function := regexp.MustCompile(`(?ms)^[a-z_ ]+\*?\s?\*?(rn_\w+)\([^)]*\) \{\n(.*?)^\}`)
	caught := regexp.MustCompile(`^\s*(try \{|return guarded\()|guarded\(message, `)
	for _, path := range []string{"opencv.cpp", "../video/opencv.cpp"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all := function.FindAllSubmatch(b, -1)
		if n := strings.Count(string(b), "\nint rn_") + strings.Count(string(b), "\nrn_") + strings.Count(string(b), "\nvoid rn_"); len(all) != n || n == 0 {
			t.Errorf("%s: %d of %d functions are looked at", path, len(all), n)
		}
		for _, f := range all {
			if !caught.Match(f[2]) {
				t.Errorf("%s: %s lets exceptions out", path, f[1])
			}
		}
	}
}
