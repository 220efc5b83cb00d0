package backbone

import (
	"slices"
	"testing"

	"retinago/nn"
)

// Blocks and widths are those of Radosavovic et al. 2020, table 14; parameters without the classifier are torchvision's, which has
// 5,495,976 for regnet_x_400mf, 7,259,656, 9,190,136, 15,296,552, 39,572,648, 54,278,536 and 107,811,560 with it; 4,344,144 for
// regnet_y_400mf, 6,432,512, 11,202,430, 19,436,338, 39,381,472, 83,590,140 and 145,046,770.
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
		"regnet_y_400mf": {[4]int{1, 3, 6, 6}, [4]int{48, 104, 208, 440}, 4_344_144 - 441_000},
		"regnet_y_800mf": {[4]int{1, 3, 8, 2}, [4]int{64, 144, 320, 784}, 6_432_512 - 785_000},
		"regnet_y_1_6gf": {[4]int{2, 6, 17, 2}, [4]int{48, 120, 336, 888}, 11_202_430 - 889_000},
		"regnet_y_3_2gf": {[4]int{2, 5, 13, 1}, [4]int{72, 216, 576, 1512}, 19_436_338 - 1_513_000},
		"regnet_y_8gf":   {[4]int{2, 4, 10, 1}, [4]int{224, 448, 896, 2016}, 39_381_472 - 2_017_000},
		"regnet_y_16gf":  {[4]int{2, 4, 11, 1}, [4]int{224, 448, 1232, 3024}, 83_590_140 - 3_025_000},
		"regnet_y_32gf":  {[4]int{2, 5, 12, 1}, [4]int{232, 696, 1392, 3712}, 145_046_770 - 3_713_000},
	} {
		n, err := New(name, Options{Norm: nn.Batch, FrozenStages: 2})
		if err != nil {
			t.Fatal(err)
		}
		if blocks, widths := n.(RegNet).stages(); blocks != want.blocks || widths != want.widths {
			t.Errorf("%s has %v blocks of %v, want %v of %v", name, blocks, widths, want.blocks, want.widths)
		}
		if testing.Short() && name != "regnet_x_400mf" && name != "regnet_y_400mf" {
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
		perBlock := 3
		if n.(RegNet).Squeeze > 0 {
			perBlock = 5
		}
		if count != want.count || frozen != 1+1+perBlock*want.blocks[0] { // the stem, a projection and the first stage's blocks
			t.Errorf("%s has %d parameters, torchvision %d; %d convolutions are frozen", name, count, want.count, frozen)
		}
		width := want.widths[3]
		group := n.(RegNet).GroupWidth
		if squeeze := params["trunk_output.block4.block4-0.f.se.fc1.weight"]; (squeeze != nil) != (n.(RegNet).Squeeze > 0) ||
			squeeze != nil && !slices.Equal(squeeze.Shape, []int{want.widths[2] / 4, width, 1, 1}) {
			t.Errorf("%s: the first layer of an excitation is %v", name, squeeze)
		}
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
