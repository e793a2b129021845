//! Deployments: states of an API that stages serve.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Map, Value};

use crate::api::{Authorizer, Deployment, Empty, Integration, Items, Named, Route, Stage};
use crate::error::GatewayError;
use crate::store::{
    ApiGateway, Deployed, Resource, Snapshot, all_in, api_in, get_in, id_for, made_before, new_id, put_in, take,
    timestamp,
};

const NO_ROUTES: &str = "At least one route is required before deploying the Api.";

/// The API as it is now.
fn snapshot(tx: &Transaction<'_>, api: &str) -> Result<Snapshot, GatewayError> {
    let integrations = all_in::<Integration>(tx, api)?.into_iter().map(|it| (it.integration_id.clone(), it));
    let authorizers = all_in::<Authorizer>(tx, api)?.into_iter().map(|it| (it.authorizer_id.clone(), it));
    Ok(Snapshot {
        cors: api_in(tx, api)?.cors_configuration,
        routes: all_in::<Route>(tx, api)?,
        integrations: integrations.collect(),
        authorizers: authorizers.collect(),
    })
}

fn deploy(
    tx: &Transaction<'_>,
    api: &str,
    snapshot: Snapshot,
    deployment: Deployment,
) -> Result<Deployment, GatewayError> {
    let deployment = Deployment { deployment_status: "DEPLOYED".into(), ..deployment };
    put_in(tx, api, &Deployed { deployment: deployment.clone(), snapshot })?;
    Ok(deployment)
}

fn serve(tx: &Transaction<'_>, api: &str, stage: Stage, deployment: &Deployment) -> Result<(), GatewayError> {
    let id = deployment.deployment_id.clone();
    let message = format!("Successfully deployed stage with deployment ID '{id}'");
    put_in(tx, api, &Stage { deployment_id: Some(id), last_deployment_status_message: Some(message), ..stage })
}

/// Brings the stages that want it up to date, and forgets the automatic deployments that no stage serves any more.
pub(crate) fn deploy_automatically(tx: &Transaction<'_>, api: &str, now: &str) -> Result<(), GatewayError> {
    let stages: Vec<Stage> = all_in::<Stage>(tx, api)?.into_iter().filter(|it| it.auto_deploy == Some(true)).collect();
    if stages.is_empty() {
        return Ok(());
    }
    let current = snapshot(tx, api)?;
    let served = |stage: &Stage| {
        let id = stage.deployment_id.as_ref()?;
        get_in::<Deployed>(tx, api, id).ok().map(|deployed| deployed.snapshot)
    };
    let behind: Vec<Stage> = stages.into_iter().filter(|stage| served(stage).as_ref() != Some(&current)).collect();
    if behind.is_empty() {
        return Ok(());
    }
    if current.routes.is_empty() {
        for stage in behind {
            let message = format!("Deployment attempt failed: {NO_ROUTES}");
            put_in(tx, api, &Stage { last_deployment_status_message: Some(message), ..stage })?;
        }
        return Ok(());
    }
    let description = "Automatic deployment triggered by changes to the Api configuration";
    let deployment = Deployment {
        auto_deployed: Some(true),
        created_date: now.to_owned(),
        deployment_id: new_id(6),
        description: Some(description.into()),
        ..Deployment::default()
    };
    let deployment = deploy(tx, api, current, deployment)?;
    behind.into_iter().try_for_each(|stage| serve(tx, api, stage, &deployment))?;
    forget_unserved(tx, api)
}

fn forget_unserved(tx: &Transaction<'_>, api: &str) -> Result<(), GatewayError> {
    let stages = all_in::<Stage>(tx, api)?;
    for deployed in all_in::<Deployed>(tx, api)? {
        let id = deployed.id();
        let serves = |stage: &Stage| stage.deployment_id.as_deref() == Some(id);
        if deployed.deployment.auto_deployed == Some(true) && !stages.iter().any(serves) {
            tx.delete(Deployed::SPACE, &Key::new([api, id]))?;
        }
    }
    Ok(())
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Deployment, GatewayError> {
    let api = take(&mut input, "ApiId")?;
    state.allow(&ctx, "POST", &format!("/apis/{api}/deployments"))?;
    let (stage, description) = (take(&mut input, "StageName").ok(), take(&mut input, "Description").ok());
    let wanted = Deployment {
        auto_deployed: Some(false),
        created_date: timestamp(&ctx),
        deployment_id: id_for(&ctx, 6),
        description,
        ..Deployment::default()
    };
    let caller = ctx.clone();
    state
        .change(&ctx, &api, move |tx, api| {
            let key = Key::new([&api.api_id, &wanted.deployment_id]);
            if let Some(made) = made_before::<Deployed>(tx, &caller, &key)? {
                return Ok(made.deployment);
            }
            let current = snapshot(tx, &api.api_id)?;
            if current.routes.is_empty() {
                return Err(GatewayError::bad(NO_ROUTES));
            }
            let stage = stage.map(|name| get_in::<Stage>(tx, &api.api_id, &name)).transpose()?;
            if stage.as_ref().is_some_and(|stage| stage.auto_deploy == Some(true)) {
                return Err(GatewayError::bad("A stage with AutoDeploy can't be deployed to by hand"));
            }
            let deployment = deploy(tx, &api.api_id, current, wanted)?;
            stage.map_or(Ok(()), |stage| serve(tx, &api.api_id, stage, &deployment))?;
            Ok(deployment)
        })
        .await
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Deployment, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/deployments/{}", input.api_id, input.deployment_id))?;
    state.get::<Deployed>(&input.api_id, &input.deployment_id).map(|deployed| deployed.deployment)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Deployment>, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/deployments", input.api_id))?;
    state.api(&input.api_id)?;
    let prefix = Key::new([&input.api_id]);
    let page = state.page::<Deployed>(Deployed::SPACE, &prefix, input.max_results.as_deref(), input.next_token)?;
    let items = page.items.into_iter().map(|deployed| deployed.deployment).collect();
    Ok(Items { items, next_token: page.next_token })
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Deployment, GatewayError> {
    let (api, id) = (take(&mut input, "ApiId")?, take(&mut input, "DeploymentId")?);
    state.allow(&ctx, "PATCH", &format!("/apis/{api}/deployments/{id}"))?;
    let description = take(&mut input, "Description").ok();
    state
        .change(&ctx, &api, move |tx, api| {
            let mut deployed = get_in::<Deployed>(tx, &api.api_id, &id)?;
            deployed.deployment.description = description.or(deployed.deployment.description);
            put_in(tx, &api.api_id, &deployed)?;
            Ok(deployed.deployment)
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    let Named { api_id, deployment_id, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/deployments/{deployment_id}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            get_in::<Deployed>(tx, &api.api_id, &deployment_id)?;
            let serves = |stage: &Stage| stage.deployment_id.as_deref() == Some(&deployment_id);
            if all_in::<Stage>(tx, &api.api_id)?.iter().any(serves) {
                let message = "Active stages pointing to this deployment must be moved or deleted";
                return Err(GatewayError::bad(message));
            }
            tx.delete(Deployed::SPACE, &Key::new([&api.api_id, &deployment_id]))?;
            Ok(Empty {})
        })
        .await
}
