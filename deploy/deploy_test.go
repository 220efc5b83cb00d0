// Package deploy_test checks the files with which retinago runs on clusters.
package deploy_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// kinds are the definitions in the schema, by version and kind.
var kinds = map[string]string{
	"apps/v1 Deployment":                     "io.k8s.api.apps.v1.Deployment",
	"v1 Service":                             "io.k8s.api.core.v1.Service",
	"v1 PersistentVolumeClaim":               "io.k8s.api.core.v1.PersistentVolumeClaim",
	"autoscaling/v2 HorizontalPodAutoscaler": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
	"policy/v1 PodDisruptionBudget":          "io.k8s.api.policy.v1.PodDisruptionBudget",
	"batch/v1 Job":                           "io.k8s.api.batch.v1.Job",
	"kubeflow.org/v2beta1 MPIJob":            "org.kubeflow.v2beta1.MPIJob",
}

type object = map[string]any

// manifests returns the objects of a cluster by the path of their file.
func manifests(t *testing.T) map[string]object {
	t.Helper()
	all := map[string]object{}
	err := filepath.WalkDir("kubernetes", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "kustomization.yaml" {
			return err
		}
		all[path] = parse(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parse reads a YAML file with one document.
func parse(t *testing.T, path string) object {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var v object
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := d.Decode(new(any)); err != io.EOF {
		t.Fatalf("%s: a second document: %v", path, err)
	}
	return v
}

// schemas compiles the definitions.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]*jsonschema.Schema{}
	for kind, name := range kinds {
		if out[kind], err = c.Compile("schema.json#/definitions/" + name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSchema(t *testing.T) {
	known, seen := schemas(t), map[string]bool{}
	for path, m := range manifests(t) {
		kind := fmt.Sprint(m["apiVersion"], " ", m["kind"])
		s := known[kind]
		if s == nil {
			t.Errorf("%s: there is no schema of %s", path, kind)
			continue
		}
		seen[kind] = true
		if err := s.Validate(m); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(seen) != len(known) {
		t.Errorf("manifests of %v", seen)
	}
	// A mistyped field and a number in place of a text are found.
	for _, wrong := range []string{"{spec: {template: {spec: {container: []}}}}", "{metadata: {name: 3}}", "{spec: {minReadySeconds: soon}}"} {
		var v any
		if err := yaml.Unmarshal([]byte(wrong), &v); err != nil {
			t.Fatal(err)
		}
		if known["apps/v1 Deployment"].Validate(v) == nil {
			t.Errorf("%s is valid", wrong)
		}
	}
}

// Each kustomization lists the files beside it, and its values are those of the folder values.
func TestKustomizations(t *testing.T) {
	for _, dir := range []string{"serve", "detect", "train"} {
		k := parse(t, filepath.Join("kubernetes", dir, "kustomization.yaml"))
		var listed []string
		for _, r := range k["resources"].([]any) {
			listed = append(listed, r.(string))
		}
		files, err := filepath.Glob(filepath.Join("kubernetes", dir, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range files {
			files[i] = filepath.Base(f)
		}
		listed = append(listed, "kustomization.yaml")
		slices.Sort(listed)
		if !slices.Equal(listed, files) {
			t.Errorf("%s lists %v of %v", dir, listed, files)
		}
		if c := fmt.Sprint(k["components"]); c != "[../values]" {
			t.Errorf("%s has the components %s", dir, c)
		}
	}
}

// containers calls f with each container and the pod that it belongs to.
func containers(v any, f func(pod, container object)) {
	switch v := v.(type) {
	case object:
		if list, ok := v["containers"].([]any); ok {
			for _, c := range list {
				f(v, c.(object))
			}
		}
		for _, w := range v {
			containers(w, f)
		}
	case []any:
		for _, w := range v {
			containers(w, f)
		}
	}
}

var variable = regexp.MustCompile(`\$\(?"?([A-Z]+)`)

// Images and variables are those of the values, flags are those of the program, and claims are the volume's.
func TestValues(t *testing.T) {
	values := parse(t, "kubernetes/values/kustomization.yaml")
	images, names := map[any]bool{}, map[string]bool{}
	for _, i := range values["images"].([]any) {
		images[i.(object)["name"]] = true
	}
	for _, g := range values["configMapGenerator"].([]any) {
		for _, l := range g.(object)["literals"].([]any) {
			name, _, _ := strings.Cut(l.(string), "=")
			names[name] = true
		}
	}
	cli, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, m := range manifests(t) {
		containers(m, func(pod, c object) {
			n++
			if !images[c["image"]] {
				t.Errorf("%s: the image %v is none of the values", path, c["image"])
			}
			words := fmt.Sprintln(c["command"], c["args"])
			for _, v := range variable.FindAllStringSubmatch(words, -1) {
				if !names[v[1]] {
					t.Errorf("%s: %s is none of the values", path, v[1])
				}
			}
			if args, ok := c["args"].([]any); ok {
				_, section, _ := strings.Cut(string(cli), fmt.Sprintf("\n## retinago %v\n", args[0]))
				section, _, _ = strings.Cut(section, "\n## ")
				for _, a := range args[1:] {
					if flag, ok := strings.CutPrefix(a.(string), "-"); ok && !strings.Contains(section, "\n  -"+flag+" ") && !strings.Contains(section, "\n  -"+flag+"\n") {
						t.Errorf("%s: %v has no flag -%s", path, args[0], flag)
					}
				}
			}
			for _, v := range pod["volumes"].([]any) {
				if claim, ok := v.(object)["persistentVolumeClaim"].(object); ok && claim["claimName"] != "retinago" {
					t.Errorf("%s: claim %v", path, claim)
				}
			}
		})
	}
	if n != 4 {
		t.Errorf("%d containers", n)
	}
}

// Numbers that must agree do.
func TestNumbers(t *testing.T) {
	all := manifests(t)
	job := all["kubernetes/detect/job.yaml"]
	containers(job, func(_, c object) {
		if want := fmt.Sprintf("auto/%v", job["spec"].(object)["completions"]); !slices.Contains(c["args"].([]any), any(want)) {
			t.Errorf("%v without %s", c["args"], want)
		}
	})
	containers(all["kubernetes/serve/deployment.yaml"], func(pod, c object) {
		var sum time.Duration
		args := c["args"].([]any)
		for _, flag := range []any{"-grace", "-drain"} {
			d, err := time.ParseDuration(args[slices.Index(args, flag)+1].(string))
			if err != nil {
				t.Fatal(err)
			}
			sum += d
		}
		if have := time.Duration(pod["terminationGracePeriodSeconds"].(int)) * time.Second; have <= sum {
			t.Errorf("the pod ends after %v, the program after %v", have, sum)
		}
	})
}

// script runs a script of Slurm with programs of this test in place of Slurm's and retinago. Each writes its name and arguments into a file,
// which is returned; srun runs what is given. during is called while it runs.
func script(t *testing.T, name, srun string, env []string, during func(p *os.Process, log func() string), args ...string) (log string, code int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "log")
	for program, text := range map[string]string{"srun": srun, "scontrol": "", "retinago": ""} {
		text = "#!/bin/bash\necho " + program + ` "$@" >> ` + file + "\n" + text
		if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	path, err := filepath.Abs(filepath.Join("slurm", name))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH")), env...)
	read := func() string {
		b, _ := os.ReadFile(file)
		return string(b)
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during(c.Process, read)
	}
	c.Wait() // its error is the exit code
	t.Logf("%s\n%s", read(), out.String())
	return read(), c.ProcessState.ExitCode()
}

func TestSlurmTraining(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	const started = "srun --mpi=pmix --kill-on-bad-exit=1 retinago train -config my.yaml -out "
	env := []string{"SLURM_JOB_ID=17"}
	if log, code := script(t, "train.sh", "exit 3", env, nil, "my.yaml", run); log != started+run+"\n" || code != 3 {
		t.Errorf("exit code %d after %q", code, log)
	}
	// A signal lets the step save, which takes a while, and the job go back into the queue.
	state := filepath.Join(run, "last.state.safetensors")
	save := "trap 'sleep .3; touch " + state + "; exit 0' TERM\nwhile :; do sleep .05; done"
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM} {
		os.Remove(state)
		log, code := script(t, "train.sh", save, env, func(p *os.Process, log func() string) {
			for range 400 {
				if strings.Contains(log(), "srun") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond) // until srun has its trap
			if err := p.Signal(s); err != nil {
				t.Error(err)
			}
		}, "my.yaml", run)
		if _, err := os.Stat(state); err != nil || code != 0 || log != started+run+"\nscontrol requeue 17\n" {
			t.Errorf("%v: exit code %d after %q: %v", s, code, log, err)
		}
	}
	if log, code := script(t, "train.sh", "", env, nil, "my.yaml", run); log != started+run+" -resume\n" || code != 0 {
		t.Errorf("exit code %d after %q", code, log)
	}
	if log, code := script(t, "train.sh", "", env, nil, "my.yaml"); log != "" || code != 2 {
		t.Errorf("without a run: exit code %d after %q", code, log)
	}
}

func TestSlurmDetection(t *testing.T) {
	if log, code := script(t, "detect.sh", "", nil, nil, "runs/my", "my photos", "found"); code != 0 ||
		log != "retinago detect runs/my my photos -out found -json found.json -overwrite -shard auto\n" {
		t.Errorf("exit code %d after %q", code, log)
	}
	if log, code := script(t, "detect.sh", "", nil, nil, "runs/my"); log != "" || code != 2 {
		t.Errorf("without sources: exit code %d after %q", code, log)
	}
}
