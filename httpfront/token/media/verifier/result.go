package verifier

// Result is what a token is worth.
type Result string

// The results, with the names that verifiers of such tokens have always had.
const (
	Valid            Result = "VALID_TOKEN"
	InvalidFormat    Result = "INVALID_TOKEN_FORMAT"
	InvalidSignature Result = "INVALID_SIGNATURE"
	// Expired: its time is over, or will only begin (clocks may differ by a
	// minute).
	Expired         Result = "TOKEN_EXPIRED"
	InvalidResource Result = "INVALID_RESOURCE_ID"
	// Unknown: signed by the service, but not as this package knows it. The
	// service is newer than the package.
	Unknown Result = "ERROR_UNKNOWN"
)
