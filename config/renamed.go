package config

// renamed maps keys of earlier versions, by their full path, to their present names in the same group. All files are read with it, because
// checkpoints and states keep the configuration of their training. An error about a file names the key as the file has it.
var renamed = map[string]string{
	"data.train.json": "source",
	"data.val.json":   "source",
}
