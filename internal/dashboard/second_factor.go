package dashboard

import (
	"fmt"
	"net/http"
	"strings"

	"rsc.io/qr"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func secondFactorRoutes() []route {
	return []route{
		{http.MethodGet, "/account/second-factor", signedIn, (*request).secondFactorPage},
		{http.MethodPost, "/account/second-factor", signedIn, (*request).confirmSecondFactor},
		{http.MethodPost, "/account/second-factor/codes", signedIn, (*request).newRecoveryCodes},
		{http.MethodPost, "/account/second-factor/off", signedIn, (*request).endSecondFactor},
	}
}

// secondFactorPage offers a second factor, or lets the person change theirs.
type secondFactorPage struct {
	layout
	Since    string // when it was switched on; empty while it is off
	Left     int    // recovery codes
	Picture  square // to photograph, while it is off
	Secret   string // the same as text, in groups
	Recovery []string
	Errors   fieldErrors // of the form that switches it on, or makes codes
	Off      fieldErrors // of the form that switches it off
}

func (r *request) secondFactorPage() error { return r.showSecondFactor(http.StatusOK, nil, nil) }

func (r *request) showSecondFactor(status int, errs, off fieldErrors) error {
	ctx := r.Request.Context()
	p := secondFactorPage{layout: r.layout("Second factor", "account"), Errors: errs, Off: off}
	f, err := r.d.App.DB.SecondFactor(ctx, r.user.ID)
	switch {
	case err != nil && affiliate.KindOf(err) != affiliate.NotFound:
		return err
	case err == nil && !f.ConfirmedAt.IsZero():
		p.Since = r.date(f.ConfirmedAt.Time)
		if p.Left, err = r.d.App.DB.RecoveryCodes(ctx, r.user.ID); err != nil {
			return err
		}
	default:
		offered, err := r.d.App.OfferSecondFactor(ctx, r.user)
		if err != nil {
			return err
		}
		if p.Picture, err = pictureOf(offered.Address); err != nil {
			return err
		}
		p.Secret = inGroups(offered.Text)
	}
	r.render(status, "second_factor.html", &p)
	return nil
}

// square is a QR code as the path of an SVG, with the free border that scanners need.
type square struct {
	Size int
	Path string
}

func pictureOf(text string) (square, error) {
	const border = 4
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return square{}, fmt.Errorf("draw a QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+border, y+border)
			}
		}
	}
	return square{Size: code.Size + 2*border, Path: path.String()}, nil
}

// inGroups writes a text in groups of four, as people copy it from a screen.
func inGroups(text string) string {
	var b strings.Builder
	for i, c := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// proof is what the forms of this page ask for.
func (r *request) proof() app.Proof {
	return app.Proof{Password: r.PostForm("current_password"), Code: r.PostForm("code"), Session: r.session,
		Address: r.ClientIP()}
}

func (r *request) confirmSecondFactor() error {
	codes, err := r.d.App.ConfirmSecondFactor(r.Request.Context(), r.user, r.proof())
	return r.showRecovery(codes, err)
}

func (r *request) newRecoveryCodes() error {
	codes, err := r.d.App.NewRecoveryCodes(r.Request.Context(), r.user, r.proof())
	return r.showRecovery(codes, err)
}

// showRecovery shows new recovery codes this once: no page leads back to them.
func (r *request) showRecovery(codes []string, err error) error {
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showSecondFactor(http.StatusUnprocessableEntity, errs, nil)
	}
	return r.show("second_factor.html", &secondFactorPage{layout: r.layout("Recovery codes", "account"),
		Recovery: codes})
}

func (r *request) endSecondFactor() error {
	err := r.d.App.EndOwnSecondFactor(r.Request.Context(), r.user, r.proof())
	if err == nil {
		return r.done("/account", "The second factor is off: your password alone signs you in.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showSecondFactor(http.StatusUnprocessableEntity, nil, errs)
}
