package track

import "math"

// assign pairs rows with columns at the least sum of costs. A row or column without a pair costs limit/2, so that no pair costs more than
// limit. It returns each row's column, -1 for a row without one. cost is [rows][columns]; an infinite cost forbids a pair. Shortest augmenting paths with potentials (Jonker and
// Volgenant 1987), of n^3 steps for n = rows + columns.
func assign(cost [][]float64, limit float64) []int {
	rows := len(cost)
	if rows == 0 {
		return nil
	}
	columns := len(cost[0])
	// Column `columns+r` stands for row r without a pair.
	n := columns + rows
	at := func(r, c int) float64 {
		switch {
		case c == columns+r:
			return 0
		case c >= columns || cost[r][c] > limit:
			return math.Inf(1)
		}
		return cost[r][c] - limit
	}
	owner := make([]int, n) // of each column
	for c := range owner {
		owner[c] = -1
	}
	u, v := make([]float64, rows), make([]float64, n) // potentials
	far, from, done := make([]float64, n), make([]int, n), make([]bool, n)
	for r := range rows {
		for c := range n {
			far[c], from[c], done[c] = math.Inf(1), -1, false
		}
		row, last := r, -1 // last is the column that led to row
		reached := 0.
		for {
			next := -1
			for c := range n {
				if done[c] {
					continue
				}
				if d := reached + at(row, c) - u[row] - v[c]; d < far[c] {
					far[c], from[c] = d, last
				}
				if next < 0 || far[c] < far[next] {
					next = c
				}
			}
			reached, last = far[next], next
			done[next] = true
			if owner[next] < 0 {
				break
			}
			row = owner[next]
		}
		u[r] += reached
		for c := range n {
			if done[c] && c != last {
				u[owner[c]] += reached - far[c]
				v[c] += far[c] - reached
			}
		}
		for c := last; c >= 0; c = from[c] {
			if from[c] < 0 {
				owner[c] = r
			} else {
				owner[c] = owner[from[c]]
			}
		}
	}
	out := make([]int, rows)
	for r := range out {
		out[r] = -1
	}
	for c, r := range owner[:columns] {
		if r >= 0 {
			out[r] = c
		}
	}
	return out
}
