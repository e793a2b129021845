//! Addresses of Boathouse's own, for what no call of AWS's tells: documents in JSON, signed like calls of a service, and only
//! read.

use futures::future::BoxFuture;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::context::Ctx;
use crate::error::AwsError;
use crate::http_service::ServiceAnswer;
use crate::site::{Site, SiteRequest};

/// What stands at such addresses.
pub trait Documents: Send + Sync {
    /// The service that requests are signed for.
    const SERVICE: &'static str;
    /// What reading is called in the audit log.
    const OPERATION: &'static str;
    /// The address; with a slash at its end, what all addresses begin with.
    const PATH: &'static str;

    /// The document for whoever has signed, at what follows the path.
    ///
    /// # Errors
    /// What the service says to who may not read it; `NotFoundException`.
    fn read(&self, ctx: Ctx, below: &str) -> impl Future<Output = Result<Value, AwsError>> + Send;
}

/// The site with these documents.
pub(crate) struct DocumentSite<D>(pub(crate) D);

impl<D: Documents> DocumentSite<D> {
    async fn answer(&self, request: SiteRequest) -> Result<Value, AwsError> {
        let SiteRequest { ctx, parts, signer, .. } = request;
        signer?;
        if parts.method != Method::GET {
            let message = format!("{} is only read: use GET", D::PATH);
            return Err(AwsError::new("MethodNotAllowedException", StatusCode::METHOD_NOT_ALLOWED, message));
        }
        self.0.read(ctx, parts.uri.path().strip_prefix(D::PATH).unwrap_or_default()).await
    }
}

impl<D: Documents> Site for DocumentSite<D> {
    fn name(&self) -> &'static str {
        D::SERVICE
    }

    fn owns(&self, parts: &Parts) -> bool {
        let below = parts.uri.path().strip_prefix(D::PATH);
        below.is_some_and(|below| below.is_empty() || D::PATH.ends_with('/'))
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move { ServiceAnswer::json(D::OPERATION, self.answer(request).await) })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        ServiceAnswer::json(D::OPERATION, Err(error.clone()))
    }
}

/// There is no document at what follows the path; `forms` says what may.
pub fn not_found<D: Documents>(forms: &str) -> AwsError {
    AwsError::new("NotFoundException", StatusCode::NOT_FOUND, format!("{} is followed by {forms}", D::PATH))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    struct One;
    struct Many;

    impl Documents for One {
        const SERVICE: &'static str = "one";
        const OPERATION: &'static str = "GetOne";
        const PATH: &'static str = "/_boathouse/one";

        async fn read(&self, _: Ctx, _: &str) -> Result<Value, AwsError> {
            Ok(Value::Null)
        }
    }

    impl Documents for Many {
        const SERVICE: &'static str = "many";
        const OPERATION: &'static str = "GetMany";
        const PATH: &'static str = "/_boathouse/many/";

        async fn read(&self, _: Ctx, _: &str) -> Result<Value, AwsError> {
            Err(not_found::<Self>("ID"))
        }
    }

    #[test]
    fn an_address_is_one_place_or_all_below_it() {
        let owns = |site: &dyn Site, path: &str| site.owns(&Request::get(path).body(()).unwrap().into_parts().0);
        let (one, many) = (DocumentSite(One), DocumentSite(Many));
        assert!(
            owns(&one, "/_boathouse/one?a=b") && !owns(&one, "/_boathouse/one/") && !owns(&one, "/_boathouse/ones")
        );
        assert!(owns(&many, "/_boathouse/many/a/b") && !owns(&many, "/_boathouse/many"));
        assert_eq!(not_found::<Many>("ID").message, "/_boathouse/many/ is followed by ID");
    }
}
