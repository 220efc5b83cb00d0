package config_test

import (
	"fmt"

	"retinago/config"
)

func ExampleParse() {
	c, err := config.Parse("mine.yaml", []byte("train: {epochs: 12, lr: 0.005}\nmodel: {backbone: resnet18}\n"))
	fmt.Println(c.Model.Backbone, c.Train.Epochs, c.Train.LR, c.Model.FPNWidth, err)

	_, err = config.Parse("mine.yaml", []byte("train:\n  learning_rate: 0.005\n"))
	fmt.Println(err)

	_, err = config.Parse("mine.yaml", []byte("model:\n  back_bone: resnet18\n"))
	fmt.Println(err)
	// Output:
	// resnet18 12 0.005 256 <nil>
	// mine.yaml:2: unknown key train.learning_rate; train has batch, base_batch, epochs, steps, optimizer, lr, momentum, nesterov, beta1, beta2, eps, weight_decay, decay_norm_bias, warmup_steps, warmup_factor, schedule, milestones, gamma, cycles, cycle_growth, rise, rise_from, fall_to, augment_until, clip_norm, seed, threads, convolutions, recompute_heads, eval_every, checkpoint_every, log_every, init_weights, ema, ema_warmup, groups, layer_decay, accumulate, minutes
	// mine.yaml:2: unknown key model.back_bone; did you mean model.backbone?
}
