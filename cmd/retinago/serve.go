package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/infer"
	"retinago/internal/kinds"
	"retinago/internal/media/video"
	"retinago/nms"
	"retinago/serve"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "answer images and video over HTTP, with a page to try it",
		Description: "Open http://ADDR/ for the page; /openapi.json describes the interface, /metrics is for Prometheus.\n" +
			"A request that finds all places taken is answered 429 with Retry-After. After SIGTERM or Ctrl-C /readyz answers 503, accepted\n" +
			"requests are answered, and the program ends; a second signal ends it at once.\n" +
			"A camera is open while it has viewers, and opened again when it breaks. MJPEG over HTTP needs no OpenCV, other cameras do.\n" +
			"On a loopback address without a token, requests must be for localhost or an IP address; behind a proxy that passes another\n" +
			"Host on, name it with -allow-host. Pages of other origins are refused unless -allow-origin names them. Behind a proxy, all\n" +
			"connections come from one address: give -max-conns-address as many as -max-conns.\n\n" +
			"   retinago serve -weights best.safetensors -addr :8080\n" +
			"   retinago serve -weights masks=best.safetensors -weights coco=retinanet_resnet50_fpn_coco -token-file token.txt\n" +
			"   retinago serve -weights best.safetensors -camera door=rtsp://10.0.0.3/live -camera desk=cam:0 -camera film=street.mp4\n" +
			"   curl -F image=@street.jpg 'http://localhost:8080/v1/detect?score=.4'\n" +
			"   curl -T street.jpg -X POST -H 'Accept: image/jpeg' -o found.jpg http://localhost:8080/v1/detect",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "weights", Usage: "checkpoint `[NAME=]FILE`, or the name of a published detector; once for each model, the first is the default", Required: true},
			&cli.StringFlag{Name: "addr", Usage: "`ADDRESS` to listen on; :8080 is every interface", Value: "localhost:8080", EnvVars: []string{"RETINAGO_ADDR"}},
			&cli.StringFlag{Name: "health-addr", Usage: "`ADDRESS` where /healthz, /readyz and /metrics are answered too, however many connections the other has"},
			&cli.StringSliceFlag{Name: "allow-host", Usage: "`NAME` that requests may be for, besides localhost and IP addresses; *.NAME is all names below it, * is every name; again for more. With it, other names are refused on every address"},
			&cli.StringSliceFlag{Name: "allow-origin", Usage: "`ORIGIN` of pages, as https://app.example.org, that may send requests, open sockets and read answers; again for more"},
			&cli.StringSliceFlag{Name: "camera", Usage: "`NAME=SOURCE` to show with boxes at /v1/stream?camera=NAME: cam:N, the address of a stream, or a video, which is repeated; again for more"},
			&cli.StringFlag{Name: "token", Usage: "what requests must carry as Authorization: Bearer; other users see it in the process list, unless it comes from the environment", EnvVars: []string{"RETINAGO_TOKEN"}},
			&cli.StringFlag{Name: "token-file", Usage: "`FILE` with tokens, one a line; any of them lets a request in"},
			&cli.Float64Flag{Name: "score", Usage: "lowest score to report, for requests without one", DefaultText: defaultScore},
			&cli.Float64Flag{Name: "nms", Usage: "IoU above which the lower score of a class goes", DefaultText: "of the checkpoint"},
			&cli.StringFlag{Name: "method", Usage: "method of non-maximum suppression: " + strings.Join(kinds.Names(nms.Kinds), ", "), DefaultText: "of the checkpoint"},
			deviceFlag(), precisionFlag(),
			&cli.IntFlag{Name: "threads", Usage: "of the compute", DefaultText: "all cores, fewer under a CPU quota"},
			&cli.BoolFlag{Name: "fast-decode", Usage: "read JPEGs at 1/2, 1/4 or 1/8 where they are scaled down by as much (data.fast_decode)"},
			&cli.IntFlag{Name: "queue", Usage: "images on the way per model; more are answered 429", Value: 32},
			&cli.IntFlag{Name: "batch", Usage: "images of one canvas size that go through the network together at most", Value: 4},
			&cli.DurationFlag{Name: "delay", Usage: "that an image waits at most for one that is being decoded", Value: serve.Delay},
			&cli.IntFlag{Name: "max-body", Usage: "`MiB` of an image file", Value: 16},
			&cli.Float64Flag{Name: "max-pixels", Usage: "`MILLIONS` of an image", Value: 36},
			&cli.IntFlag{Name: "max-conns", Usage: "connections; one more is answered 503 and closed, unless another waits without a request", Value: 1024},
			&cli.IntFlag{Name: "max-conns-address", Usage: "of them, from one IPv4 address or one /64 of IPv6", DefaultText: "half of -max-conns"},
			&cli.DurationFlag{Name: "timeout", Usage: "from a whole body to its answer", Value: serve.Timeout},
			&cli.DurationFlag{Name: "grace", Usage: "from SIGTERM, when /readyz turns to 503, until no connection is accepted: as long as a load balancer needs to see it"},
			&cli.DurationFlag{Name: "drain", Usage: "after it, for what was accepted", Value: serve.Drain},
			mirrorFlag(), cacheFlag(),
		},
		Action: runServe,
	}
}

// listen opens the address that a flag has.
func listen(c *cli.Context, flag string) (net.Listener, error) {
	addr := c.String(flag)
	l, err := net.Listen("tcp", addr)
	var form *net.AddrError
	switch {
	case err == nil:
		return l, nil
	case errors.As(err, &form):
		return nil, fmt.Errorf("serve: -%s %s: %s: give HOST:PORT, or :PORT for all addresses of this machine, such as :8080", flag, addr, form.Err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("serve: -%s %s: another program listens on that port: end it, or give another port", flag, addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("serve: -%s %s: this user may not listen on that port: give one from 1024 on", flag, addr)
	}
	return nil, fmt.Errorf("serve: -%s %s: %w", flag, addr, err)
}

func runServe(c *cli.Context) error {
	outlive()
	o, err := serveOptions(c)
	if err != nil {
		return err
	}
	// The address comes first, so that an address in use is an error before a model is loaded.
	l, err := listen(c, "addr")
	if err != nil {
		return err
	}
	defer l.Close()
	at := fmt.Sprintf("http://%s/", l.Addr())
	if v := c.String("health-addr"); v != "" {
		if o.Health, err = listen(c, "health-addr"); err != nil {
			return err
		}
		defer o.Health.Close()
		at += fmt.Sprintf(", its health on http://%s/", o.Health.Addr())
	}
	predictors, err := loadModels(c, &o)
	defer func() {
		for _, p := range predictors {
			p.Close()
		}
	}()
	if err != nil {
		return err
	}
	s, err := serve.New(o)
	if err != nil {
		return usage("%v", err)
	}
	if err := s.Warm(c.Context); err != nil {
		s.Close()
		return err
	}
	var names []string
	for _, m := range o.Models {
		names = append(names, m.Name)
	}
	fmt.Fprintf(c.App.Writer, "serving %s on %s\n", strings.Join(names, ", "), at)
	if err := s.Serve(c.Context, l); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, "stopped, all that was accepted is answered")
	return nil
}

// serveOptions reads the options that need no model.
func serveOptions(c *cli.Context) (serve.Options, error) {
	o := serve.Options{
		Queue: c.Int("queue"), Batch: c.Int("batch"), Delay: c.Duration("delay"),
		MaxBody: int64(c.Int("max-body")) << 20, MaxPixels: int(1e6 * c.Float64("max-pixels")), MaxConns: c.Int("max-conns"), MaxConnsAddress: c.Int("max-conns-address"),
		Timeout: c.Duration("timeout"), Grace: c.Duration("grace"), Drain: c.Duration("drain"),
		Hosts: c.StringSlice("allow-host"), Origins: c.StringSlice("allow-origin"),
		Cameras: map[string]serve.Camera{},
		Log:     slog.New(slog.NewTextHandler(c.App.ErrWriter, nil)),
	}
	for flag, ok := range map[string]bool{"queue": o.Queue > 0, "batch": o.Batch > 0, "delay": o.Delay > 0, "max-body": o.MaxBody > 0,
		"max-pixels": o.MaxPixels > 0, "max-conns": o.MaxConns > 0,
		"max-conns-address": o.MaxConnsAddress > 0 || !c.IsSet("max-conns-address"), "timeout": o.Timeout > 0, "drain": o.Drain > 0} {
		if !ok {
			return o, usage("serve: -%s: give more than 0", flag)
		}
	}
	for _, v := range c.StringSlice("camera") {
		name, what, ok := strings.Cut(v, "=")
		if !ok {
			return o, usage("serve: -camera %s: give NAME=SOURCE, such as door=cam:0", video.Public(v))
		}
		if o.Cameras[name] != nil {
			return o, usage("serve: two cameras are called %q", name)
		}
		camera, err := serve.Open(what)
		if err != nil {
			return o, usage("serve: -camera %s: %v", name, err)
		}
		o.Cameras[name] = camera
	}
	if t := c.String("token"); t != "" {
		o.Tokens = append(o.Tokens, t)
	}
	if path := c.String("token-file"); path != "" {
		b, err := readTokens(path)
		if err != nil {
			return o, err
		}
		n := len(o.Tokens)
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" {
				o.Tokens = append(o.Tokens, line)
			}
		}
		if len(o.Tokens) == n {
			return o, fmt.Errorf("%s: there is no token in it", path)
		}
	}
	return o, nil
}

// readTokens reads a file of tokens, which may be a pipe from a program that stores them.
func readTokens(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 1 << 20
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(b) > most {
		err = fmt.Errorf("%s: more than %d bytes are no list of tokens", path, most)
	}
	return b, err
}

// loadModels loads the models of -weights. The caller closes the predictors, also after an error.
func loadModels(c *cli.Context, o *serve.Options) (loaded []*infer.Predictor, err error) {
	score := c.Float64("score")
	if c.IsSet("score") && !(score > 0 && score < 1) {
		return nil, usage("serve: -score %g: give a number between 0 and 1", score)
	}
	if err := (nms.Method{Kind: c.String("method")}).Check(); err != nil {
		return nil, usage("serve: -method: %v", err)
	}
	how := infer.Options{Device: c.String("device"), Precision: c.String("precision"), Threads: c.Int("threads"), Method: c.String("method"), FastDecode: c.Bool("fast-decode")}
	if c.IsSet("nms") {
		v := c.Float64("nms")
		if v < 0 || v > 1 {
			return nil, usage("serve: -nms %g: give a number from 0 to 1", v)
		}
		how.NMS = &v
	}
	for _, v := range c.StringSlice("weights") {
		name, file := named(v)
		path, err := published(c, file)
		if err != nil {
			return loaded, err
		}
		info, err := detector.ReadInfo(path)
		if err != nil {
			return loaded, err
		}
		switch how.Score = nil; {
		case c.IsSet("score"):
			how.Score = &score
		case info.Scores == nil:
			common := float64(infer.CommonScore)
			how.Score = &common
		}
		p, err := infer.Load(path, how)
		if err != nil {
			return loaded, err
		}
		loaded = append(loaded, p)
		o.Models = append(o.Models, serve.Model{Name: name, Network: p})
	}
	return loaded, nil
}

// named splits NAME=FILE. Without a name it is the file's, without its extension.
func named(v string) (name, file string) {
	if name, file, ok := strings.Cut(v, "="); ok && !strings.ContainsAny(name, `/\`) {
		if _, err := os.Stat(v); errors.Is(err, os.ErrNotExist) {
			return name, file
		}
	}
	base := filepath.Base(v)
	name = regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "_")
	return strings.TrimLeft(name, "._-"), v
}
