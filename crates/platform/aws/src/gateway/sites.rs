//! Requests to sites: read whole, their signature judged if they have one, and handed over with the verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Response;
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use hyper::body::Incoming;

use super::buffered::collect;
use super::record::Record;
use super::{Gateway, signer_of, signing_time};
use crate::error::AwsError;
use crate::http_service::ResponseBody;
use crate::principal::Principal;
use crate::sigv4::{Claim, Dialect, SignatureError, sha256_hex};
use crate::site::{MAX_BODY, Site, SiteRequest};

impl Gateway {
    pub(super) async fn visit(
        &self,
        site: &dyn Site,
        parts: Parts,
        body: Incoming,
        record: &mut Record,
    ) -> Response<ResponseBody> {
        site.name().clone_into(&mut record.service);
        let answer = match collect(&parts, body, MAX_BODY).await {
            Err(error) => site.unreadable(&error),
            Ok(body) => {
                record.bytes_in.store(body.len() as u64, Ordering::Relaxed);
                let signer = self.signer(site, &parts, &body);
                let principal = signer.clone().unwrap_or_else(|_| Arc::new(Principal::anonymous()));
                record.principal.clone_from(&principal.arn);
                let claim = Claim::of(&parts).ok().flatten().filter(|_| signer.is_ok());
                let ctx = self.context(record, principal, &parts, claim.as_ref().map(signer_of));
                site.call(SiteRequest { ctx, parts, body, signer }).await
            }
        };
        answer.operation.clone_into(&mut record.operation);
        record.error = answer.error;
        let mut response = answer.response;
        let id = HeaderValue::try_from(record.request_id.to_string()).expect("invariant: ids are visible ASCII");
        response.headers_mut().insert("x-amzn-requestid", id);
        response
    }

    fn signer(&self, site: &dyn Site, parts: &Parts, body: &[u8]) -> Result<Arc<Principal>, AwsError> {
        let refused = |error: SignatureError| error.into_aws(Dialect::Json);
        let anonymous = || Ok(Arc::new(Principal::anonymous()));
        if !may_be_signed(parts) {
            return anonymous();
        }
        let Some(claim) = Claim::of(parts).map_err(refused)? else { return anonymous() };
        if claim.scope.service != site.name() {
            let message = format!("Credential should be scoped to correct service: '{}'.", site.name());
            return Err(refused(SignatureError::Malformed(message)));
        }
        self.verifier.verify(&claim, parts, &sha256_hex(body), signing_time()).map_err(refused)
    }
}

/// Whether a request shows a signature of Version 4, and not just credentials of the site's own kind.
fn may_be_signed(parts: &Parts) -> bool {
    let header = parts.headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    header || parts.uri.query().is_some_and(|query| query.contains("X-Amz-Algorithm="))
}
