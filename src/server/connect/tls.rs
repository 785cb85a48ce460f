//! TLS as libpq's `sslmode` means it, on rustls.
//!
//! `require` encrypts and trusts any certificate, unless a root certificate is at hand: then it is
//! `verify-ca`, which checks the chain but not the host's name; `verify-full` checks both (the name must be among
//! the certificate's subject alternative names: the long obsolete common name is not looked at). A
//! server certificate that is itself listed as a root is trusted, since self-signed certificates are
//! how many servers are set up.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Roots, SslMode, Target};

/// The TLS side of a connection, or why it cannot be set up.
pub(super) fn connector(target: &Target) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(target, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &target.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("sslkey `{}`: {error}", key.display()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("sslcert `{}`: {error}", certificate.display()))?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// What is checked of the server's certificate.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None`: any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    check_name: bool,
}

impl Verifier {
    fn new(target: &Target, provider: &Arc<CryptoProvider>) -> Result<Verifier, String> {
        let verify = match target.ssl_mode {
            SslMode::Disable | SslMode::Allow | SslMode::Prefer => false,
            SslMode::Require => target.roots != Roots::None,
            SslMode::VerifyCa | SslMode::VerifyFull => true,
        };
        let mut verifier = Verifier {
            provider: Arc::clone(provider),
            chain: None,
            roots: Vec::new(),
            check_name: target.ssl_mode == SslMode::VerifyFull,
        };
        if !verify {
            return Ok(verifier);
        }
        verifier.roots = match &target.roots {
            Roots::File(file) => certificates(file)?,
            Roots::System => rustls_native_certs::load_native_certs().certs,
            Roots::None => {
                return Err("sslmode verifies the server's certificate, but no root certificate is given: \
                     set sslrootcert to a file or to `system`, or put one at ~/.postgresql/root.crt"
                    .to_owned());
            }
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(verifier.roots.iter().cloned());
        if store.is_empty() {
            return Err("there are no usable root certificates".to_owned());
        }
        verifier.chain = Some(
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
                .build()
                .map_err(|error| format!("the root certificates cannot be used: {error}"))?,
        );
        Ok(verifier)
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = fs::read(file).map_err(|error| format!("certificate file `{}`: {error}", file.display()))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("certificate file `{}`: {error}", file.display()))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        if self.roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
            if self.check_name {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // webpki looks at the name last: the chain has been verified by then.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
