package config

// renamed has keys of earlier versions by their full path, with the name that the key has today in the same group. Files are read
// through it: checkpoints and states keep the configuration that they were trained with. A file's error names the key as it stands there.
var renamed = map[string]string{
	"data.train.json": "source",
	"data.val.json":   "source",
}
