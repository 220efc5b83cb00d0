package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"retinago/internal/file"
)

// Options of Get. The zero value is ready.
type Options struct {
	Client   *http.Client  // nil is one of this package's
	Attempts int           // in a row that bring nothing new; 0 is 5
	Pause    time.Duration // before the second attempt, doubled before every further one; 0 is a second
	Idle     time.Duration // without a byte before an attempt is given up; 0 is 30 s
	MaxBytes int64         // 0 is 8 GiB
	// FirstUse accepts a file of which only the first digits of its SHA-256 are known. Its whole sum is recorded beside it, and is
	// required from then on.
	FirstUse bool
	// Progress receives the bytes that are there; total is 0 where the server does not report it.
	Progress func(done, total int64)
	Checked  func(line string) // receives the whole SHA-256 of the file, and what it was compared with
}

func (o *Options) fill() {
	if o.Client == nil {
		o.Client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 20 * time.Second, ForceAttemptHTTP2: true}}
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	if o.Idle == 0 {
		o.Idle = 30 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 30
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Checked == nil {
		o.Checked = func(string) {}
	}
}

// partSuffix is of what has arrived so far.
const partSuffix = ".part"

// recordSuffix is of the file beside a fetched one that has its whole SHA-256, in the form of sha256sum, where only the first digits
// were known before.
const recordSuffix = ".sha256"

// ErrSum is in the error for a file of which no whole SHA-256 is known.
var ErrSum = errors.New("its whole SHA-256 is not known")

// Get brings a file into a folder, which is made, and returns its path. A file that is there with the right sum is not
// fetched again; a part of it is continued. Where only the first digits of the sum are known, no file is accepted but by Options.FirstUse
// or by the sum that an earlier use recorded: the error is ErrSum. Errors name the address and keep what has arrived.
func Get(ctx context.Context, f File, dir string, o Options) (string, error) {
	o.fill()
	path := filepath.Join(dir, f.Name)
	if len(f.SHA256) < 8 {
		return "", fmt.Errorf("fetch: %s: a sum of %d digits, fewer than 8", f.URL, len(f.SHA256))
	}
	recorded := false
	if len(f.SHA256) < wholeSum {
		known, err := record(path)
		if err != nil {
			return "", fmt.Errorf("fetch: %w", err)
		}
		if recorded = known != ""; recorded {
			if !strings.HasPrefix(known, f.SHA256) {
				return "", fmt.Errorf("fetch: %s has the SHA-256 %s, which does not begin with %s: move it away", path+recordSuffix, known, f.SHA256)
			}
			f.SHA256 = known
		} else if !o.FirstUse {
			return "", fmt.Errorf("fetch: %s: %w: only its first digits, %s", f.URL, ErrSum, f.SHA256)
		}
	}
	sum, err := sumOf(path)
	switch {
	case err == nil && !strings.HasPrefix(sum, f.SHA256):
		return "", fmt.Errorf("fetch: %s is there with SHA-256 %s, not %s: move it away", path, sum, f.SHA256)
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("fetch: %w", err)
		}
		// Two programs that append to one part would spoil it.
		owner, err := file.LockFile(path, io.Discard)
		if err != nil {
			return "", fmt.Errorf("fetch: %w", err)
		}
		defer owner.Release()
		if sum, err = download(ctx, f, path, &o); err != nil {
			return "", fmt.Errorf("fetch: %s: %w", f.URL, err)
		}
	case err != nil:
		return "", fmt.Errorf("fetch: %w", err)
	}
	if len(f.SHA256) < wholeSum {
		if err := file.WriteBytes(path+recordSuffix, fmt.Appendf(nil, "%s  %s\n", sum, f.Name)); err != nil {
			return "", fmt.Errorf("fetch: %w", err)
		}
	}
	switch {
	case recorded:
		o.Checked(fmt.Sprintf("SHA-256 %s, as %s has it", sum, path+recordSuffix))
	case len(f.SHA256) == wholeSum:
		o.Checked(fmt.Sprintf("SHA-256 %s, as it should be", sum))
	default:
		o.Checked(fmt.Sprintf("SHA-256 %s: its first %d digits are as they should be, more are not known; it is recorded in %s", sum, len(f.SHA256), path+recordSuffix))
	}
	return path, nil
}

// record reads the sum beside a file, "" where there is none.
func record(path string) (string, error) {
	b, err := file.Read(path+recordSuffix, 1<<12)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	sum, _, _ := strings.Cut(string(b), " ")
	if err == nil && !hex64.MatchString(sum) {
		err = fmt.Errorf("%s has no SHA-256 of 64 hex digits: move it away", path+recordSuffix)
	}
	return sum, err
}

func sumOf(path string) (string, error) {
	f, _, err := file.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// download fetches the file into its part, renames that and returns its sum. Wrong bytes are fetched once more from the start, because
// an older part or a break may be to blame.
func download(ctx context.Context, f File, path string, o *Options) (sum string, err error) {
	p, err := openPart(path + partSuffix)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.file.Close()) }()
	for range 2 {
		begun := p.size
		if err := p.complete(ctx, f.URL, o); err != nil {
			return "", fmt.Errorf("%w; %d bytes are kept in %s", err, p.size, p.file.Name())
		}
		if sum = hex.EncodeToString(p.hash.Sum(nil)); strings.HasPrefix(sum, f.SHA256) {
			if err := p.file.Sync(); err != nil {
				return "", err
			}
			if err := file.Rename(p.file.Name(), path); err != nil {
				return "", err
			}
			return sum, file.SyncDir(filepath.Dir(path))
		}
		if err := p.reset(); err != nil {
			return "", err
		}
		if begun == 0 && p.unbroken {
			break // one answer brought it whole: it would come the same again
		}
	}
	return "", errors.Join(fmt.Errorf("the server sent other bytes: SHA-256 %s, not %s; nothing was kept. Try another -mirror, or give the sum that you trust with -sha256",
		sum, f.SHA256), file.Remove(p.file.Name()))
}

// part is a file on its way.
type part struct {
	file     *file.File
	size     int64
	hash     hash.Hash // of what is there
	unbroken bool      // the last complete came in one answer
}

func openPart(name string) (*part, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, file.ErrIrregular)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p := &part{file: &file.File{File: f}, hash: sha256.New()}
	if p.size, err = io.Copy(p.hash, f); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// reset drops what is there.
func (p *part) reset() error {
	p.size = 0
	p.hash.Reset()
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	_, err := p.file.Seek(0, io.SeekStart)
	return err
}

// refused is an answer that further attempts will not change.
type refused struct{ error }

// local is an error of this machine's disk.
type local struct{ error }

// complete sends requests until a response ends at the length that the server gave.
func (p *part) complete(ctx context.Context, url string, o *Options) error {
	pause, most := o.Pause, p.size
	p.unbroken = true
	for attempt := 1; ; attempt++ {
		err := p.attempt(ctx, url, o)
		if err == nil {
			return nil
		}
		p.unbroken = false
		if errors.As(err, new(refused)) || errors.As(err, new(local)) || ctx.Err() != nil {
			return err
		}
		if p.size > most {
			attempt, pause, most = 0, o.Pause, p.size // it moves
			continue
		}
		if attempt >= o.Attempts {
			return fmt.Errorf("%d attempts brought nothing: %w", attempt, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// attempt makes one request for what is missing and appends what comes.
func (p *part) attempt(ctx context.Context, url string, o *Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(o.Idle, func() { cancel(fmt.Errorf("no byte for %s", o.Idle)) })
	defer idle.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return refused{err}
	}
	request.Header.Set("Accept-Encoding", "identity") // ranges count the file's own bytes
	if p.size > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
	}
	answer, err := o.Client.Do(request)
	if err != nil {
		return because(ctx, err)
	}
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code == http.StatusOK || code == http.StatusPartialContent && !p.follows(answer):
		if code == http.StatusPartialContent {
			if p.size == 0 {
				return refused{fmt.Errorf("the server sends a range (%q) that was not asked for", answer.Header.Get("Content-Range"))}
			}
			return errors.Join(fmt.Errorf("the server goes on at another place (%q)", answer.Header.Get("Content-Range")), p.reset())
		}
		if p.size > 0 { // it begins again
			if err := p.reset(); err != nil {
				return local{err}
			}
		}
	case code == http.StatusPartialContent:
	case code == http.StatusRequestedRangeNotSatisfiable && p.size > 0:
		// Everything is there, or more than there should be: the sum decides.
		return nil
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("the server answers %s", answer.Status)
	default:
		return refused{fmt.Errorf("the server answers %s", answer.Status)}
	}
	total := int64(0)
	if answer.ContentLength >= 0 {
		total = p.size + answer.ContentLength
	}
	if total > o.MaxBytes {
		return refused{fmt.Errorf("the server announces %d bytes, more than %d", total, o.MaxBytes)}
	}
	if err := p.append(answer.Body, total, idle, o); err != nil {
		return because(ctx, err)
	}
	return nil
}

// follows reports whether a partial answer begins where the part ends.
func (p *part) follows(answer *http.Response) bool {
	rest, ok := strings.CutPrefix(answer.Header.Get("Content-Range"), "bytes ")
	if !ok {
		return false
	}
	from, _, _ := strings.Cut(rest, "-")
	at, err := strconv.ParseInt(from, 10, 64)
	return err == nil && p.size > 0 && at == p.size
}

func (p *part) append(r io.Reader, total int64, idle *time.Timer, o *Options) error {
	b := make([]byte, 1<<16)
	for {
		n, err := r.Read(b)
		if n > 0 {
			idle.Reset(o.Idle)
			if p.size+int64(n) > o.MaxBytes {
				return refused{fmt.Errorf("the server sends more than %d bytes", o.MaxBytes)}
			}
			if _, err := p.file.WriteAt(b[:n], p.size); err != nil {
				return local{err}
			}
			p.hash.Write(b[:n])
			p.size += int64(n)
			o.Progress(p.size, total)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// because returns why a context ended, where that is known.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
