//go:build opencv

package video

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// display returns an error if there is no display to show windows on. OpenCV's window library would end the whole program then.
// QT_QPA_PLATFORM names another target of windows.
func display() error {
	if runtime.GOOS != "linux" || os.Getenv("QT_QPA_PLATFORM") != "" {
		return nil
	}
	x, wayland := os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY")
	if x == "" && wayland == "" {
		return errors.New("video: there is no display to show a window on: neither DISPLAY nor WAYLAND_DISPLAY is set")
	}
	if wayland != "" {
		if !filepath.IsAbs(wayland) {
			wayland = filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), wayland)
		}
		if answering("unix", wayland) {
			return nil
		}
	}
	host, number, _ := strings.Cut(x, ":")
	number, _, _ = strings.Cut(number, ".")
	n, err := strconv.Atoi(number)
	if err == nil && (host == "" || host == "unix") {
		socket := fmt.Sprintf("/tmp/.X11-unix/X%d", n)
		if answering("unix", socket) || answering("unix", "@"+socket) {
			return nil
		}
	}
	if err == nil && answering("tcp", net.JoinHostPort(host, strconv.Itoa(6000+n))) {
		return nil
	}
	return fmt.Errorf("video: there is no display to show a window on: DISPLAY=%s WAYLAND_DISPLAY=%s does not answer", x, os.Getenv("WAYLAND_DISPLAY"))
}

func answering(network, address string) bool {
	c, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
