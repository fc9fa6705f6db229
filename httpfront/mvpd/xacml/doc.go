// Package xacml asks a policy decision point whether a viewer may watch, with XACML 2.0
// in SAML 2.0 over SOAP 1.1, as the Online Content Access specifications of CableLabs
// have it (OLCA: Authentication and Authorization Interface 1.0, CL-SP-AUTH1.0-I04,
// section 7.5).
//
// Each resource is a query of its own, a few at once, since not every decision point
// takes several in one:
//
//	POST {xacmlURL}
//	Envelope/Body/XACMLAuthzDecisionQuery   ID, IssueInstant, Destination, Issuer
//	  Request
//	    Subject      subject-id: the userID of the login
//	    Resource     resource-id
//	    Action       action-id: VIEW
//	    Environment  ip-address: the device's; and, in names of ours,
//	                 urn:ssod:xacml:device-id, device-type, device-name,
//	                 service-provider, preauthorize
//
// and the answer is Envelope/Body/Response/Assertion with one XACMLAuthzDecisionStatement,
// or a Statement of that type. It is read strictly: UTF-8 without a document type,
// processing instructions or comments, at most 64 KiB; everything there once; to this query, for
// this resource, now. Signatures are not looked at: the connection, TLS or loopback, says
// whose answer it is.
//
// # What becomes of an answer
//
//	Permit                       a permit, if each obligation is known: log, re-authz, or
//	                             one that the configuration names; else a deny, as XACML
//	                             2.0, 7.1 demands
//	Deny, NotApplicable          a deny
//	Indeterminate                unreadable: the decision point could not decide
//	SAML status UnknownPrincipal the viewer is unknown
//	anything else                an error, for all resources of the question
//
// Obligations of a deny say more of it. An id counts by its last word, in the namespaces
// urn:tve:xacml:2.0:obligations and urn:cablelabs:olca:1.0:obligations (also spelled
// ocla): restrict-pc is the parental control, upgrade a subscription that does not cover
// it; re-authn, which voids the login, and in-home are ours. An assignment whose id ends
// with message is what viewers read, by xml:lang if there are several; one of type anyURI
// is the address of an offer.
//
// A permit lasts for the seconds of re-authz or until NotOnOrAfter of the assertion's
// conditions, whichever is shorter; with neither, as long as is configured.
package xacml
