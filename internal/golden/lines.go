package golden

import "strings"

// lines shows two texts line by line: what both have after two spaces, what only want has after "-", what only got has after "+".
// It finds a longest common subsequence, in time and space of the product of the texts' lengths, which golden files can afford.
func lines(want, got string) string {
	a, b := split(want), split(got)
	common := suffixes(a, b)
	var out strings.Builder
	line := func(sign, text string) { out.WriteString(sign + text + "\n") }
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			line("  ", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			line("- ", a[i])
			i++
		default:
			line("+ ", b[j])
			j++
		}
	}
	return out.String()
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// suffixes is the table of lengths: [i][j] is how many lines a[i:] and b[j:] have in common, in order.
func suffixes(a, b []string) [][]int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}
