package infer

// stage runs f on the values of in, on up to workers of them at once, and sends the results in the order of the values. It holds up to
// workers results and one waiting value. It closes the returned channel after the last result, when in is closed.
func stage[A, B any](in <-chan A, workers int, f func(A) B) <-chan B {
	queue := make(chan chan B, workers-1) // workers, with the result that waits to be sent
	out := make(chan B)
	go func() {
		defer close(queue)
		for v := range in {
			done := make(chan B, 1)
			queue <- done
			go func() { done <- f(v) }()
		}
	}()
	go func() {
		defer close(out)
		for done := range queue {
			out <- <-done
		}
	}()
	return out
}
