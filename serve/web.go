package serve

import (
	"embed"
	"mime"
	"net/http"
	"path"
)

//go:embed web
var web embed.FS

// page answers with one of the files of web, which are read when the server is made.
func (s *Server) page(name string) http.HandlerFunc {
	b, err := web.ReadFile("web/" + name)
	if err != nil {
		panic("serve: " + err.Error())
	}
	kind := mime.TypeByExtension(path.Ext(name))
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Security-Policy", pagePolicy)
		s.send(w, http.StatusOK, b)
	}
}
