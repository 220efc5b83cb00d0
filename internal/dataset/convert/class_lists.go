package convert

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// withClasses is a Source of a CSV with the list of classes that lies beside it, if there is one and none is given.
func (s Source) withClasses(format string) Source {
	if s.Classes != "" || format != "csv" && format != "openimages" {
		return s
	}
	var all []string
	for _, path := range files(filepath.Dir(s.Path), ".csv") {
		if path != s.Path && isClassList(path) && (format == "openimages") == ofLabels(path) {
			all = append(all, path)
		}
	}
	if len(all) == 1 {
		s.Classes = all[0]
	}
	return s
}

// isClassList reports whether a CSV is a list of classes by its name and its first line: class,number or OpenImages' LabelName,DisplayName.
func isClassList(path string) bool {
	if !strings.Contains(strings.ToLower(filepath.Base(path)), "class") {
		return false
	}
	first, err := firstRecord(path)
	if err != nil || len(first) != 2 {
		return false
	}
	_, err = strconv.Atoi(first[1])
	return err == nil || ofLabels(path)
}

// ofLabels reports whether a CSV lists OpenImages' labels.
func ofLabels(path string) bool {
	first, err := firstRecord(path)
	return err == nil && len(first) == 2 && (slices.Equal(first, []string{"LabelName", "DisplayName"}) || strings.HasPrefix(first[0], "/"))
}
