//! Drawing circles.

use async_graphql::{Context, ID, Object, Result};
use daira_core::id::CircleId;

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::circle::Circle;

inputs! {
    /// A circle to draw.
    CreateCircleInput {
        /// Its name, 1 to 50 characters.
        name: String,
    }
    /// Another name for a circle.
    RenameCircleInput {
        /// One of the own circles.
        circle_id: ID,
        /// Its name from now on, 1 to 50 characters.
        name: String,
    }
    /// A circle to remove.
    DeleteCircleInput {
        /// One of the own circles.
        circle_id: ID,
    }
    /// Somebody, and a circle.
    CircleMemberInput {
        /// One of the own circles.
        circle_id: ID,
        /// The person.
        profile_id: ID,
    }
}

payloads! {
    /// What something done with a circle came to.
    CirclePayload {
        /// Whether anything changed; repeating it changes nothing.
        changed: bool,
        /// The circle as it is now; null when it is gone.
        circle: Circle,
    }
    /// What removing a circle came to.
    DeleteCirclePayload {
        /// The circle that is gone.
        circle_id: ID,
    }
}

/// Drawing circles.
#[derive(Debug, Default)]
pub(super) struct CircleMutation;

/// Drawing circles. Who is in one does not learn of it.
#[Object]
impl CircleMutation {
    /// Draws a circle; up to a hundred.
    async fn create_circle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The circle.")] input: CreateCircleInput,
    ) -> Result<Option<CirclePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let circle = scope.services.graph.create_circle(&scope.actor, &input.name, key).await?;
            let circle = Circle::load(scope, circle).await?;
            Ok(CirclePayload { changed: Some(true), circle, ..Default::default() })
        })
        .await
    }

    /// Gives a circle another name.
    async fn rename_circle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The circle and its name.")] input: RenameCircleInput,
    ) -> Result<Option<CirclePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let circle: CircleId = id(&input.circle_id, "circleId")?;
            scope.services.graph.rename_circle(&scope.actor, circle, &input.name, key).await?;
            let circle = Circle::load(scope, circle).await?;
            Ok(CirclePayload { changed: Some(true), circle, ..Default::default() })
        })
        .await
    }

    /// Removes a circle; posts made for it are seen by their author alone from then on.
    async fn delete_circle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The circle.")] input: DeleteCircleInput,
    ) -> Result<Option<DeleteCirclePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let circle: CircleId = id(&input.circle_id, "circleId")?;
            scope.services.graph.delete_circle(&scope.actor, circle, key).await?;
            Ok(DeleteCirclePayload { circle_id: Some(circle.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Takes somebody into a circle.
    async fn add_to_circle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and into which.")] input: CircleMemberInput,
    ) -> Result<Option<CirclePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let (circle, person) = (id(&input.circle_id, "circleId")?, id(&input.profile_id, "profileId")?);
            let changed = scope.services.graph.add_circle_member(&scope.actor, circle, person, key).await?;
            let circle = Circle::load(scope, circle).await?;
            Ok(CirclePayload { changed: Some(changed), circle, ..Default::default() })
        })
        .await
    }

    /// Takes somebody out of a circle: from then on they see none of the posts made for it.
    async fn remove_from_circle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and out of which.")] input: CircleMemberInput,
    ) -> Result<Option<CirclePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let (circle, person) = (id(&input.circle_id, "circleId")?, id(&input.profile_id, "profileId")?);
            let changed = scope.services.graph.remove_circle_member(&scope.actor, circle, person, key).await?;
            let circle = Circle::load(scope, circle).await?;
            Ok(CirclePayload { changed: Some(changed), circle, ..Default::default() })
        })
        .await
    }
}
