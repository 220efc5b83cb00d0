package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	shown "retinago/internal/text"
)

// otherFlags are flags of other detectors' programs (ultralytics, detectron2, mmdetection), and what is ours.
var otherFlags = map[string]string{
	"model": "-weights for a checkpoint, -init for weights to start from, -set model.backbone=NAME for a network",
	"imgsz": "-size with train -data; -set data.short_sides=[N] in a configuration", "img": "-size with train -data", "img-size": "-size with train -data", "image-size": "-size with train -data",
	"conf": "-score", "conf-thres": "-score", "confidence": "-score", "confidence-threshold": "-score", "threshold": "-score", "score-thr": "-score",
	"iou": "-nms", "iou-thres": "-nms", "nms-threshold": "-nms",
	"batch-size": "-batch with train -data; -set train.batch=N in a configuration", "bs": "-batch",
	"lr": "-set train.lr=RATE", "lr0": "-set train.lr=RATE", "learning-rate": "-set train.lr=RATE", "optimizer": "-set train.optimizer=NAME",
	"steps": "-set train.steps=N", "max-iter": "-set train.steps=N", "epoch": "-epochs with train -data; -set train.epochs=N in a configuration",
	"workers": "-set data.workers=N", "patience": "none: every evaluation keeps the best model", "project": "-out", "name": "-out", "output": "-out", "output-dir": "-out", "work-dir": "-out", "save-dir": "-out", "outdir": "-out",
	"config-file": "-config", "cfg": "-config", "cfg-options": "-set", "opts": "-set", "yaml": "-data for a dataset, -config for a configuration",
	"dataset": "-data", "train-data": "-data", "val-data": "-val", "annotations": "-data", "ann-file": "-data", "image-dir": "-images", "img-dir": "-images",
	"pretrained": "-init", "checkpoint": "-weights", "ckpt": "-weights", "weight": "-weights", "resume-from": "-resume DIR", "load-from": "-init",
	"gpu": "-device cuda:0", "gpus": "-device cuda:0", "gpu-id": "-device cuda:0", "num-gpus": "-device cuda:0", "cuda": "-device cuda:0", "half": "-precision fp16", "amp": "-precision bf16", "fp16": "-precision fp16",
	"max-det": "-max", "augment": "-flip and -scales", "save-txt": "-yolo DIR", "save-json": "-json FILE", "save-crop": "-crops DIR", "show": "-view", "vid-stride": "none: every frame is read",
	"format": "-to, or the ending of -out",
	"port":   "-addr :PORT", "host": "-addr HOST:PORT", "verbose": "none: progress is printed", "help-all": "-help",
	"classes": "-class NAME, again for more", "eval-only": "the verb eval", "task": "the verbs train, eval, detect", "mode": "the verbs train, eval, detect",
}

// otherVerbs are verbs of such programs, and ours.
var otherVerbs = map[string]string{
	"predict": "detect", "infer": "detect", "inference": "detect", "test": "eval", "val": "eval", "validate": "eval", "evaluate": "eval", "fit": "train", "finetune": "train -init FILE",
	"tune": "bench", "benchmark": "bench", "track": "detect -track", "demo": "detect", "convert": "data convert, or export for models", "check": "data check", "checks": "version", "settings": "config new",
	"cfg": "config new", "init": "config new", "download": "weights fetch", "import": "weights import", "help": "-help", "info": "summary", "yolo": "train, eval or detect",
}

// flagHint is what a flag that does not exist may be called here, with the words around it, or "". own are the flags of the verb.
func flagHint(own []cli.Flag, message string) string {
	_, name, ok := strings.Cut(message, "flag provided but not defined: ")
	if !ok {
		return ""
	}
	name = strings.ReplaceAll(strings.ToLower(strings.TrimLeft(name, "-")), "_", "-")
	if ours, ok := otherFlags[name]; ok {
		return "; here it is " + ours
	}
	for theirs, ours := range otherFlags {
		if strings.ReplaceAll(theirs, "-", "") == name {
			return "; here it is " + ours
		}
	}
	var names []string
	for _, f := range own {
		names = append(names, f.Names()[0])
	}
	if near, ok := shown.Nearest(name, names); ok {
		return "; did you mean -" + near + "?"
	}
	return ""
}

// unread are the parser's words about a value that it cannot read.
var unread = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-+([^ :]+): (?:parse error|value out of range)$`)

// valueHint is the message about a flag's value, with what the flag takes. Other messages stay.
func valueHint(own []cli.Flag, message string) string {
	m := unread.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	wants := ""
	for _, f := range own {
		if !slices.Contains(f.Names(), m[2]) {
			continue
		}
		switch f.(type) {
		case *cli.IntFlag, *cli.Int64Flag, *cli.UintFlag, *cli.Uint64Flag:
			wants = "give a whole number"
		case *cli.Float64Flag:
			wants = "give a number"
		case *cli.DurationFlag:
			wants = "give a duration, such as 500ms or 30s"
		case *cli.BoolFlag:
			wants = "give no value, or true or false"
		}
	}
	if wants == "" {
		return message
	}
	return "-" + m[2] + " " + m[1] + ": " + wants
}
