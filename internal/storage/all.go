package storage

// EachPage reads a list page by page; read gives the cursor of the next page, which is empty on the last one.
func EachPage(read func(Page) (next string, err error)) error {
	for p := (Page{Limit: MaxLimit}); ; {
		next, err := read(p)
		if err != nil || next == "" {
			return err
		}
		p.Cursor = next
	}
}

// All reads all pages of a list that is short enough to be kept in memory.
func All[T any](read func(Page) ([]T, string, error)) (all []T, err error) {
	err = EachPage(func(p Page) (string, error) {
		rows, next, err := read(p)
		all = append(all, rows...)
		return next, err
	})
	return all, err
}
