package serve

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"retinago/internal/kinds"
	"retinago/nms"
)

// node is a place in a JSON document.
type node = map[string]any

// description is openapi.json, as it is served.
func description(t *testing.T, s *Server) node {
	t.Helper()
	return parse[node](t, ask(s.Handler(), "GET", "/openapi.json", nil))
}

// under walks into a document.
func under(n any, keys ...string) any {
	for _, k := range keys {
		m, _ := n.(node)
		n = m[k]
	}
	return n
}

// The description has the server's routes, and the server has the description's.
func TestOpenAPIRoutes(t *testing.T) {
	s := newServer(t, Options{})
	d := description(t, s)
	var want, got []string
	for _, r := range s.routes() {
		path := strings.TrimSuffix(r.path, "{$}")
		if !slices.Contains([]string{"/app.css", "/app.js", "/nms.js", "/icon.svg"}, path) { // the page's
			got = append(got, strings.ToLower(r.method)+" "+path)
			open := under(d, "paths", path, strings.ToLower(r.method), "security") != nil
			if open != r.open {
				t.Errorf("%s %s is open: %v, by the description: %v", r.method, path, r.open, open)
			}
		}
	}
	for path, methods := range d["paths"].(node) {
		for method := range methods.(node) {
			want = append(want, method+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%v, described\n%v", got, want)
	}
}

// Parameters are those that handlers know.
func TestOpenAPIParameters(t *testing.T) {
	s := newServer(t, Options{})
	d := description(t, s)
	for _, c := range []struct {
		path, method string
		want         []string
	}{
		{"/v1/detect", "post", detectParameters}, {"/v1/stream", "post", streamParameters},
		{"/v1/stream", "get", cameraParameters}, {"/v1/socket", "get", socketParameters},
	} {
		var got []string
		for _, p := range under(d, "paths", c.path, c.method, "parameters").([]any) {
			name := strings.TrimPrefix(p.(node)["$ref"].(string), "#/components/parameters/")
			if under(d, "components", "parameters", name, "name") != name {
				t.Errorf("%s is not described", name)
			}
			got = append(got, name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %v, want %v", c.method, c.path, got, c.want)
		}
	}
	var methods []string
	for _, v := range under(d, "components", "parameters", "method", "schema", "enum").([]any) {
		methods = append(methods, v.(string))
	}
	if !slices.Equal(methods, kinds.Names(nms.Kinds)) {
		t.Errorf("methods %v, want %v", methods, kinds.Names(nms.Kinds))
	}
}

// What the server answers has the described form, to the last key.
func TestOpenAPIAnswers(t *testing.T) {
	s := newServer(t, Options{})
	d := description(t, s)
	pic := noise(t, 64, 48)
	for _, c := range []struct {
		method, path, query string
		body                []byte
		status              int
	}{
		{"POST", "/v1/detect", "", pic, 200},
		{"POST", "/v1/detect", "?score=1", pic, 200},
		{"POST", "/v1/detect", "?raw=1", pic, 200},
		{"POST", "/v1/detect", "?model=none", pic, 404},
		{"POST", "/v1/detect", "", []byte("x"), 415},
		{"GET", "/v1/models", "", nil, 200},
		{"GET", "/healthz", "", nil, 200},
		{"GET", "/readyz", "", nil, 200},
		{"GET", "/v1/socket", "", nil, 426},
	} {
		r := ask(s.Handler(), c.method, c.path+c.query, c.body)
		b := read(t, r)
		schema := under(d, "paths", c.path, strings.ToLower(c.method), "responses", fmt.Sprint(r.StatusCode), "content", "application/json", "schema")
		if r.StatusCode != c.status || schema == nil {
			t.Errorf("%s %s%s: %d, which is not described", c.method, c.path, c.query, r.StatusCode)
			continue
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := conforms(d, schema.(node), v); err != nil {
			t.Errorf("%s %s%s: %v", c.method, c.path, c.query, err)
		}
	}
	frame := under(d, "components", "schemas", "Frame").(node)
	for _, text := range []string{`{"frame":1,"error":{"code":"busy","message":"x"}}`, string(read(t, ask(s.Handler(), "POST", "/v1/detect", pic)))} {
		var v node
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		v["frame"] = 1.0
		if err := conforms(d, frame, v); err != nil {
			t.Error(err)
		}
	}
}

// Every code of a problem in the sources is described, and no other.
func TestOpenAPICodes(t *testing.T) {
	s := newServer(t, Options{})
	codes := map[string]bool{"busy": true, "connections": true}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`refuse\([^"]*?, "([a-z]+)", "`).FindAllSubmatch(b, -1) {
				codes[string(m[1])] = true
			}
		}
	}
	var got []string
	for _, v := range under(description(t, s), "components", "schemas", "Error", "properties", "code", "enum").([]any) {
		got = append(got, v.(string))
	}
	if want := slices.Sorted(maps.Keys(codes)); !slices.Equal(got, want) {
		t.Errorf("described %v, in the sources %v", got, want)
	}
}

// conforms compares a value with a schema: types, required and unknown keys, numbers of items, enumerations.
func conforms(d, schema node, v any) error {
	if ref, ok := schema["$ref"].(string); ok {
		return conforms(d, under(d, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(node), v)
	}
	if all, ok := schema["enum"].([]any); ok && !slices.Contains(all, v) {
		return fmt.Errorf("%v is none of %v", v, all)
	}
	switch schema["type"] {
	case "object":
		m, ok := v.(node)
		if !ok {
			return fmt.Errorf("%v is no object", v)
		}
		required, _ := schema["required"].([]any)
		for _, k := range required {
			if _, ok := m[k.(string)]; !ok {
				return fmt.Errorf("there is no %v", k)
			}
		}
		for k, w := range m {
			s, ok := under(schema, "properties", k).(node)
			if !ok {
				if s, ok = schema["additionalProperties"].(node); !ok {
					return fmt.Errorf("%s is not described", k)
				}
			}
			if err := conforms(d, s, w); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no array", v)
		}
		least, _ := schema["minItems"].(float64)
		most, bounded := schema["maxItems"].(float64)
		if len(list) < int(least) || bounded && len(list) > int(most) {
			return fmt.Errorf("%d items", len(list))
		}
		for i, w := range list {
			if err := conforms(d, schema["items"].(node), w); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
	case "string":
		if _, ok := v.(string); !ok {
			return fmt.Errorf("%v is no string", v)
		}
	case "number", "integer":
		f, ok := v.(float64)
		if !ok || schema["type"] == "integer" && f != float64(int64(f)) {
			return fmt.Errorf("%v is no %s", v, schema["type"])
		}
	default:
		return fmt.Errorf("a schema of type %v", schema["type"])
	}
	return nil
}

// Addresses are relative to the description's own, so that they hold behind a proxy that adds a prefix.
func TestOpenAPIServers(t *testing.T) {
	s := newServer(t, Options{})
	servers, ok := description(t, s)["servers"].([]any)
	if !ok || len(servers) != 1 || servers[0].(node)["url"] != "./" {
		t.Errorf("servers: %v", servers)
	}
}
