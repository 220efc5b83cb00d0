// Package config is the one tree of settings: plain structs with defaults in code, a YAML file laid over them, and
// "a.b.c=value" overrides laid over that.
//
//	Default() <- file.yaml (keys that do not exist are refused) <- -set train.lr=.005 ... -> Validate -> Config
//
// Parts of the program take only their own sub-struct (config.Model, config.Train, ...). Lists replace the default's
// list as a whole. Config.String gives the resolved tree as YAML, which Parse reads back: a checkpoint carries it.
package config
