package dashboard

import (
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// suppressionsPage lists the addresses that get no mail.
type suppressionsPage struct {
	mailHead
	Rows          []suppressionLine
	Search        string
	Pager         pager
	Address, Note string // as they were typed
	Errors        fieldErrors
	Here          string
}

type suppressionLine struct {
	affiliate.Suppression
	Badge badge
	By    string
	Since string
}

func (r *request) suppressionsPage() error { return r.showSuppressions(http.StatusOK, nil) }

func (r *request) showSuppressions(status int, errs fieldErrors) error {
	head, err := r.mailHead("suppressions", "Who gets no mail")
	if err != nil {
		return err
	}
	p := suppressionsPage{mailHead: head, Search: strings.TrimSpace(r.Query("q")), Address: r.field("address"),
		Note: r.field("note"), Errors: errs, Here: r.here()}
	list, next, err := r.d.App.DB.Suppressions(r.Request.Context(), p.Search, r.page())
	if err != nil {
		return err
	}
	for _, s := range list {
		line := suppressionLine{Suppression: s, Badge: suppressionBadges[s.Reason], By: actorText(s.Author),
			Since: r.moment(s.CreatedAt)}
		p.Rows = append(p.Rows, line)
	}
	p.Pager = r.pager(next)
	r.render(status, "mail_suppressions.html", &p)
	return nil
}

func (r *request) suppress() error {
	s, err := r.d.App.Suppress(r.Request.Context(), r.field("address"), r.field("note"))
	if err == nil {
		return r.done("/mail/suppressions", s.Address+" gets no mail from now on.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showSuppressions(http.StatusUnprocessableEntity, errs)
}

func (r *request) allowMail() error {
	address := r.field("address")
	if err := r.d.App.AllowMail(r.Request.Context(), address); err != nil {
		return err
	}
	return r.done(back(r.field("back"), "/mail/suppressions"), address+" gets mail again.")
}
