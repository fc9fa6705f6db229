package api

import (
	"errors"
	"time"
)

// What the front end itself finds wrong with a request, before any entity is asked. The
// catalogue says what the client sees.
var (
	ErrNotFound       = errors.New("no such resource")
	ErrMethod         = errors.New("method not allowed")
	ErrRepeatedHeader = errors.New("a security header was sent twice")
	ErrThrottled      = errors.New("too many requests from one address")
	ErrBodyTooLarge   = errors.New("request body too large")
	ErrAccept         = errors.New("no JSON is accepted")
	// ErrCutOff: the node has been without contact to the others for too long to
	// know what was revoked.
	ErrCutOff = errors.New("the node is cut off from the others")

	// ErrNoAccessToken: no bearer token at all, or one over 8 KiB.
	ErrNoAccessToken = errors.New("access token missing or malformed")
	// ErrServiceProvider: no realm has the service provider of the path.
	ErrServiceProvider = errors.New("unknown service provider")
	// ErrNotCovered: the client's statement does not name it.
	ErrNotCovered = errors.New("service provider not covered by the client")

	ErrIdentityMissing     = errors.New("neither X-SSO-ID nor X-SSO-LINK")
	ErrMintDeviceMissing   = errors.New("AP-Device-Identifier missing on POST serviceToken")
	ErrRefreshTokenMissing = errors.New("AD-Service-Token missing on GET serviceToken")
	ErrLinkTokenMissing    = errors.New("AD-Service-Token missing on link")
	ErrUnlinkTokenMissing  = errors.New("AD-Service-Token missing on unlink")
	ErrListTokenMissing    = errors.New("AD-Service-Token missing on list")
	ErrHeaderMissing       = errors.New("required header missing")
	ErrDevice              = errors.New("AP-Device-Identifier malformed")
	ErrTemporaryIdentity   = errors.New("AP-TempPass-Identity malformed")
	ErrDeviceInfo          = errors.New("X-Device-Info malformed")
	ErrSSOID               = errors.New("X-SSO-ID malformed or not acceptable")
	ErrContentType         = errors.New("Content-Type is not JSON")

	ErrBodyNull     = errors.New("request body empty or null")
	ErrBody         = errors.New("request body malformed")
	ErrDevicesEmpty = errors.New("devices absent, null or empty")

	// What only the entitlement API finds wrong.

	// ErrClientApplication: no access token that the API can use.
	ErrClientApplication = errors.New("access token missing or unusable")
	// ErrForm: the parameters of a session are no form that can be read.
	ErrForm = errors.New("form malformed or not declared as one")
	// ErrResourcesBody: the body of a decision is not declared as JSON, or too large.
	ErrResourcesBody = errors.New("resources not declared as JSON, or too large")
	ErrPartner       = errors.New("unknown partner")
	// What is wrong with AP-Partner-Framework-Status: no permission in it, none asked for,
	// none given; no provider of the partner, another one than the call is about, or what
	// the framework knows is old.
	ErrPartnerAccess       = errors.New("no access status of the partner's framework")
	ErrPartnerUndetermined = errors.New("access of the partner's framework not determined")
	ErrPartnerDenied       = errors.New("access of the partner's framework not granted")
	ErrPartnerProvider     = errors.New("provider of the partner's framework not known")
	ErrPartnerMismatch     = errors.New("provider of the partner's framework is not that of the call")
	ErrPartnerExpired      = errors.New("provider information of the partner's framework expired")
	ErrSAMLResponse        = errors.New("SAMLResponse missing or malformed")
	ErrDomainName          = errors.New("domainName not one of the service provider's")
	ErrRedirectURL         = errors.New("redirectUrl missing, malformed or not the service provider's")
	ErrResources           = errors.New("resources missing or malformed")
	ErrCode                = errors.New("authentication code malformed")
	// ErrMetadataCertificate: attributes cannot be encrypted to the service provider.
	ErrMetadataCertificate = errors.New("no usable certificate for user metadata")
	// ErrTrialOver, ErrTrialSpent: temporary access has ended, by its time or by the number
	// of resources.
	ErrTrialOver  = errors.New("the time of the trial is over")
	ErrTrialSpent = errors.New("the resources of the trial are used")
	// ErrStranger: a browser comes back from an MVPD and was not sent there, or
	// with a state that it was not sent with; or it sends a form that is not the service's.
	ErrStranger = errors.New("the browser did not open this login")
)

// UnknownCodesError: the address has asked for too many unknown authentication codes.
type UnknownCodesError struct{ RetryAfter time.Duration }

func (e *UnknownCodesError) Error() string {
	return "too many unknown authentication codes from one address"
}
