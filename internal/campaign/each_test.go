//go:build campaign

package campaign

import "sync"

// each calls work for the items 0 to n-1, several at once, until the user interrupts or enough failed. An error of work is of this
// machine: it fails the test and ends it.
func each(count *counter, n int, work func(item int) error) {
	items := make(chan int)
	end := make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	for range min(n, setting.jobs) {
		wg.Go(func() {
			for i := range items {
				err := work(i)
				if err != nil && stop.Err() == nil {
					count.t.Error(err)
				}
				if err != nil || count.enough() {
					once.Do(func() { close(end) })
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case items <- i:
		case <-end:
			break feed
		case <-stop.Done():
			break feed
		}
	}
	close(items)
	wg.Wait()
}
