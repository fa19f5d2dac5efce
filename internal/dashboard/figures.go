package dashboard

import (
	"cmp"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// figure is one key figure of a page. The template "figures" shows a list of them.
type figure struct {
	Key     report.Key
	Label   string
	Value   string
	Unit    string // of the value, such as the currency of an amount; empty: none
	Address string // of what is behind it; empty: nowhere
	About   string // what it counts, where the label does not say it
	Change  string // against the period before; empty where there is none to compare with
	Way     string // of the change: up, down or empty
}

// lead gives some figures the address of what is behind them.
func lead(figures []figure, address string, keys ...report.Key) {
	for i := range figures {
		if slices.Contains(keys, figures[i].Key) {
			figures[i].Address = address
		}
	}
}

// figuresOf writes key figures for people. What is undefined is "—".
func figuresOf(cards []report.Figure, k report.KeyFigures, c money.Currency) []figure {
	var list []figure
	for _, f := range cards {
		card := figure{Key: f.Key, Label: cmp.Or(f.Card, f.Title), Value: figureText(f, f.Value(k.KPIs), c),
			About: f.About}
		if f.Kind == report.Money && card.Value != "—" {
			card.Unit = c.Code()
		}
		if f.Key == report.KeyPaymentsDue {
			for _, other := range k.Due.Other {
				card.About += " And " + moneyText(other.Amount, other.Currency) + " of another currency."
			}
		}
		if k.Before != nil {
			card = card.changed(f.Change(k.KPIs, *k.Before))
		}
		list = append(list, card)
	}
	return list
}

// changed adds a change since the period before, in 1/10000, where there is one. Less than 0.05 % is none.
func (f figure) changed(change *int64) figure {
	switch {
	case change == nil:
		return f
	case *change >= 5:
		f.Way, f.Change = "up", "+"+changeText(*change)
	case *change <= -5:
		f.Way, f.Change = "down", changeText(*change)
	default:
		f.Change = "as before"
	}
	return f
}

// figureText writes a figure for people, amounts without their currency; "—" when it is undefined.
func figureText(f report.Figure, n *int64, c money.Currency) string {
	switch {
	case n == nil:
		return "—"
	case f.Kind == report.Money:
		return amount(*n, c)
	case f.Kind == report.Share:
		return percentText(*n)
	}
	return countText(*n)
}

// figureCell writes the figure of a row.
func figureCell(f report.Figure, s affiliate.Sums, c money.Currency) string {
	return figureText(f, f.Sum(s), c)
}

// figureTotal writes the figure of all rows together, what is added up with its currency.
func figureTotal(f report.Figure, s affiliate.Sums, c money.Currency) string {
	if f.Kind == report.Money && f.Per == "" {
		return moneyText(*f.Sum(s), c)
	}
	return figureCell(f, s, c)
}

// figureHead is the column of a figure.
func figureHead(key report.Key) column {
	f := report.FigureOf(key)
	return column{Name: string(key), Title: f.Title, Number: true, Sort: string(key), Extra: f.Extra, Figure: f,
		Shown: true}
}

// figureHeads are the columns of figures after others.
func figureHeads(before []column, keys ...report.Key) []column {
	for i := range before {
		before[i].Shown = true
	}
	for _, key := range keys {
		before = append(before, figureHead(key))
	}
	return before
}

// changeText writes a change of 1/10000 as roughly as it is looked at: "+239.66 %" says no more than "+240 %". Below 10
// % it has one decimal.
func changeText(n int64) string {
	if n > -9_95 && n < 9_95 {
		return percentOf(money.MulDiv(n, 1, 10), 1)
	}
	return percentOf(money.MulDiv(n, 1, 100), 0)
}
