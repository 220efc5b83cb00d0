package cpu

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A process takes the instruction set of its environment, for int8 too, and no other than the processor has.
func TestISA(t *testing.T) {
	if os.Getenv("RETINAGO_ISA_PRINT") != "" {
		e, err := New(Options{Threads: 1})
		if err != nil {
			os.Stdout.WriteString(err.Error())
			os.Exit(0)
		}
		defer e.Close()
		name, _ := ISA()
		os.Stdout.WriteString(name + ":" + strings.Join(Int8Paths(), ","))
		os.Exit(0)
	}
	run := func(name string) string {
		c := exec.Command(os.Args[0], "-test.run", "^TestISA$")
		c.Env = append(os.Environ(), "RETINAGO_ISA_PRINT=1", isaVariable+"="+name)
		out, err := c.CombinedOutput()
		must(t, err)
		return string(out)
	}
	have := ISAs()
	if !slices.Contains(have, "baseline") {
		t.Fatalf("no baseline among %v", have)
	}
	if got := run(""); !strings.HasPrefix(got, have[0]+":") {
		t.Errorf("%q by default, the best is %s", got, have[0])
	}
	for _, name := range have {
		got := run(name)
		if !strings.HasPrefix(got, name+":") || !strings.HasSuffix(got, "plain") {
			t.Errorf("%s: %q", name, got)
		}
		if name == "baseline" && got != "baseline:plain" || name == "avx2" && strings.Contains(got, "avx512") {
			t.Errorf("%s: int8 kernels are beyond it: %s", name, got)
		}
	}
	if got := run("sse9"); !strings.Contains(got, "RETINAGO_ISA=sse9") || !strings.Contains(got, "baseline") {
		t.Errorf("an instruction set that is none: %q", got)
	}
}
