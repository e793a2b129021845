//! Whose certificates are believed: the machine's authorities vouch for them, or a thumbprint of the provider names one of
//! the chain ("Obtain the thumbprint for an OpenID Connect identity provider").
//!
//! A thumbprint is the SHA-1 of a certificate. It makes that certificate an authority for this one provider; the chain that
//! leads to it, the server's name and the dates are checked as ever.

use std::io;
use std::sync::{Arc, OnceLock};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// TLS to a provider with these thumbprints.
pub(super) fn tls(thumbprints: &[String]) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let machine = machine();
    if machine.is_empty() && thumbprints.is_empty() {
        return Err(io::Error::other("this machine has no certificate authorities (install ca-certificates)"));
    }
    let verifier = Arc::new(Verifier { machine, thumbprints: thumbprints.to_vec(), provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// The machine's certificate authorities, read once.
fn machine() -> Arc<RootCertStore> {
    static MACHINE: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(MACHINE.get_or_init(read))
}

/// Believes what the machine's authorities vouch for, and what the provider's thumbprints do.
#[derive(Debug)]
struct Verifier {
    machine: Arc<RootCertStore>,
    thumbprints: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }

    /// The certificates of a chain that a thumbprint names.
    fn named(&self, chain: &[&CertificateDer<'_>]) -> RootCertStore {
        let named = |certificate: &&&CertificateDer<'_>| {
            let print = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.as_ref()));
            self.thumbprints.iter().any(|known| known.eq_ignore_ascii_case(&print))
        };
        let mut roots = RootCertStore::empty();
        let found = chain.iter().filter(named).map(|certificate| (**certificate).clone().into_owned());
        roots.add_parsable_certificates(found);
        roots
    }

    fn judge(
        &self,
        roots: Arc<RootCertStore>,
        (end, rest): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if roots.is_empty() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider)).build();
        let verifier = verifier.map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(end, rest, name, &[], now)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent = (end_entity, intermediates);
        self.judge(Arc::clone(&self.machine), sent, server_name, now).or_else(|error| {
            let chain: Vec<_> = intermediates.iter().chain([end_entity]).collect();
            match self.named(&chain) {
                roots if roots.is_empty() => Err(error),
                roots => self.judge(Arc::new(roots), sent, server_name, now),
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}
