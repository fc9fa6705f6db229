// Devcerts makes certificates for a cluster on a developer's machine:
//
//	devcerts [-dir DIR] NODE...
//
// DIR then holds an authority (ca.pem, ca.key), for each node a certificate and
// its key (NODE.pem, NODE.key), and the secret of the cluster (cluster.secret):
//
//	ssod --tls-ca DIR/ca.pem --tls-cert DIR/n1.pem --tls-key DIR/n1.key --cluster-secret DIR/cluster.secret ...
//
// A certificate names its node, which is what other nodes look at, and localhost,
// so that it serves for the public listener too. An authority that is there
// already signs the certificates of more nodes. Everything is good for a year,
// and the key of the authority lies beside it: for production use your own.
package main
