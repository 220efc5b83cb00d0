package serve

import (
	"net/http"
	"slices"
	"strings"
)

// route is a route of the server.
type route struct {
	method, path string
	handle       http.HandlerFunc
	open         bool // without a token
	acts         bool // a GET that opens something
}

func (s *Server) routes() []route {
	return []route{
		{method: "POST", path: "/v1/detect", handle: s.detect},
		{method: "POST", path: "/v1/stream", handle: s.postStream},
		{method: "GET", path: "/v1/stream", handle: s.getStream, acts: true},
		{method: "GET", path: "/v1/socket", handle: s.socket, acts: true},
		{method: "GET", path: "/v1/models", handle: s.listModels},
		{method: "GET", path: "/metrics", handle: s.showMetrics},
		{method: "GET", path: "/healthz", handle: s.healthy, open: true},
		{method: "GET", path: "/readyz", handle: s.readiness, open: true},
		{method: "GET", path: "/openapi.json", handle: s.page("openapi.json"), open: true},
		{method: "GET", path: "/{$}", handle: s.page("index.html"), open: true},
		{method: "GET", path: "/app.css", handle: s.page("app.css"), open: true},
		{method: "GET", path: "/app.js", handle: s.page("app.js"), open: true},
		{method: "GET", path: "/nms.js", handle: s.page("nms.js"), open: true},
		{method: "GET", path: "/icon.svg", handle: s.page("icon.svg"), open: true},
	}
}

// healthMux has the routes of Options.Health.
func (s *Server) healthMux() *http.ServeMux {
	return s.muxOf(slices.DeleteFunc(s.routes(), func(r route) bool {
		return r.path != "/healthz" && r.path != "/readyz" && r.path != "/metrics"
	}))
}

func (s *Server) muxOf(all []route) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range all {
		mux.Handle(r.method+" "+r.path, s.wrap(r))
	}
	mux.Handle("/", s.wrap(route{path: "other", open: true, handle: func(w http.ResponseWriter, r *http.Request) { s.nowhere(w, r, all) }}))
	return mux
}

// nowhere answers requests that no route handles.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, all []route) {
	var allowed []string
	for _, v := range all {
		if v.path == r.URL.Path {
			allowed = append(allowed, v.method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, refuse(http.StatusMethodNotAllowed, "method", "%s takes %s", r.URL.Path, strings.Join(allowed, ", ")))
		return
	}
	s.fail(w, refuse(http.StatusNotFound, "path", "there is nothing here; /openapi.json says what there is"))
}
