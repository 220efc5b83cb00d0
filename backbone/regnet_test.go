package backbone

import (
	"slices"
	"testing"

	"retinago/nn"
)

// Blocks and widths are those of Radosavovic et al. 2020, table 14; parameters without the classifier are torchvision's, which has
// 5,495,976 for regnet_x_400mf, 7,259,656, 9,190,136, 15,296,552, 39,572,648, 54,278,536 and 107,811,560 with it.
func TestRegNet(t *testing.T) {
	for name, want := range map[string]struct {
		blocks, widths [Maps]int
		count          int
	}{
		"regnet_x_400mf": {[4]int{1, 2, 7, 12}, [4]int{32, 64, 160, 400}, 5_495_976 - 401_000},
		"regnet_x_800mf": {[4]int{1, 3, 7, 5}, [4]int{64, 128, 288, 672}, 7_259_656 - 673_000},
		"regnet_x_1_6gf": {[4]int{2, 4, 10, 2}, [4]int{72, 168, 408, 912}, 9_190_136 - 913_000},
		"regnet_x_3_2gf": {[4]int{2, 6, 15, 2}, [4]int{96, 192, 432, 1008}, 15_296_552 - 1_009_000},
		"regnet_x_8gf":   {[4]int{2, 5, 15, 1}, [4]int{80, 240, 720, 1920}, 39_572_648 - 1_921_000},
		"regnet_x_16gf":  {[4]int{2, 6, 13, 1}, [4]int{256, 512, 896, 2048}, 54_278_536 - 2_049_000},
		"regnet_x_32gf":  {[4]int{2, 7, 13, 1}, [4]int{336, 672, 1344, 2520}, 107_811_560 - 2_521_000},
	} {
		n, err := New(name, Options{Norm: nn.Batch, FrozenStages: 2})
		if err != nil {
			t.Fatal(err)
		}
		if blocks, widths := n.(RegNet).stages(); blocks != want.blocks || widths != want.widths {
			t.Errorf("%s has %v blocks of %v, want %v of %v", name, blocks, widths, want.blocks, want.widths)
		}
		if testing.Short() && name != "regnet_x_400mf" {
			continue
		}
		params, err := build(t, n)
		if err != nil {
			t.Fatal(err)
		}
		count, frozen := 0, 0
		for _, p := range params {
			if p.Kind != nn.Buffer {
				count += p.Size()
			}
			if p.Kind == nn.Weight && !p.Trainable {
				frozen++
			}
		}
		if count != want.count || frozen != 1+1+3*want.blocks[0] { // the stem, a projection and the first stage's blocks
			t.Errorf("%s has %d parameters, torchvision %d; %d convolutions are frozen", name, count, want.count, frozen)
		}
		width := want.widths[3]
		group := n.(RegNet).GroupWidth
		for p, shape := range map[string][]int{
			"stem.0.weight": {32, 3, 3, 3},
			"trunk_output.block1.block1-0.proj.0.weight": {want.widths[0], 32, 1, 1},
			"trunk_output.block4.block4-0.f.b.0.weight":  {width, group, 3, 3},
			"trunk_output.block4.block4-0.f.c.1.bias":    {width},
		} {
			if params[p] == nil || !slices.Equal(params[p].Shape, shape) {
				t.Errorf("%s: %s is %v, want %v", name, p, params[p], shape)
			}
		}
	}
}
