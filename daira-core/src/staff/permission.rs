//! Two tables, and nothing else decides what a role may do: each permission with the roles that have it, and each private field
//! of a person with who may see it. `docs/PERMISSIONS.md` is written from them, and so is the test that tries everything.
//!
//! What people may do with what is their own, and see of each other, is not here: that takes no role, and the policies say it.

use core::fmt::Write as _;

use super::StaffRole;
use crate::account::ProfileKind;

/// Everything that somebody can be to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Somebody who is logged in, as a person.
    User,
    /// … as somebody who makes things for an audience.
    Creator,
    /// … as a creator whose identity was checked.
    Verified,
    /// … as a company or organisation.
    Brand,
    /// Staff, the first rank.
    Moderator,
    /// Staff, the second rank.
    SeniorModerator,
    /// Staff, the third rank.
    Admin,
    /// A part of the platform itself: a job, or an operator at a command.
    Service,
}

impl Role {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::Creator,
        Self::Verified,
        Self::Brand,
        Self::Moderator,
        Self::SeniorModerator,
        Self::Admin,
        Self::Service,
    ];

    /// How it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Creator => "creator",
            Self::Verified => "verified",
            Self::Brand => "brand",
            Self::Moderator => "moderator",
            Self::SeniorModerator => "senior moderator",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Moderator => Self::Moderator,
            StaffRole::SeniorModerator => Self::SeniorModerator,
            StaffRole::Admin => Self::Admin,
        }
    }
}

impl From<ProfileKind> for Role {
    fn from(kind: ProfileKind) -> Self {
        match kind {
            ProfileKind::Regular => Self::User,
            ProfileKind::Creator => Self::Creator,
            ProfileKind::VerifiedCreator => Self::Verified,
            ProfileKind::Brand => Self::Brand,
        }
    }
}

macro_rules! table {
    ($(#[$meta:meta])* pub enum $table:ident { $(#[doc = $doc:literal] $name:ident = $code:literal: [$($role:ident),*];)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $table { $(#[doc = $doc] $name,)* }

        impl $table {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The one with a stable name.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }

            /// What it is, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }

            /// The roles that have it.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*],)* }
            }

            /// Whether a role has it.
            pub fn is_of(self, role: Role) -> bool {
                self.roles().contains(&role)
            }
        }
    };
}

table! {
    /// What takes a role.
    pub enum Permission {
        #[doc = " Look somebody up, and see what their account is allowed at present."]
        LookUp = "person.look_up": [Moderator, SeniorModerator, Admin];
        #[doc = " End somebody's sessions."]
        EndSessions = "person.end_sessions": [SeniorModerator, Admin];
        #[doc = " Let somebody read only, and lift that."]
        Restrict = "person.restrict": [Moderator, SeniorModerator, Admin];
        #[doc = " Shut somebody out until an instant, and lift that."]
        Suspend = "person.suspend": [Moderator, SeniorModerator, Admin];
        #[doc = " Shut somebody out for good, and lift that."]
        Ban = "person.ban": [SeniorModerator, Admin];
        #[doc = " Say that a profile is a creator's, a checked creator's or a brand's."]
        SetKind = "profile.set_kind": [Admin];
        #[doc = " Take down a post, a comment, a profile's name or picture."]
        TakeDown = "content.take_down": [Moderator, SeniorModerator, Admin];
        #[doc = " Put back what was taken down."]
        PutBack = "content.put_back": [SeniorModerator, Admin];
        #[doc = " See who is staff."]
        ListStaff = "staff.list": [Admin, Service];
        #[doc = " Make somebody staff, or take that away."]
        SetRole = "staff.set_role": [Admin, Service];
        #[doc = " Keep the log of breaches of personal data."]
        KeepBreaches = "breach.keep": [Admin, Service];
    }
}

table! {
    /// What is private of a person. Its owner sees all of it; staff see what the table says, with a reason, and each look is
    /// written down.
    pub enum PrivateField {
        #[doc = " The e-mail address."]
        Email = "email": [SeniorModerator, Admin];
        #[doc = " When the person was born."]
        BirthDate = "birth_date": [SeniorModerator, Admin];
        #[doc = " All faces of the person, which nothing else links."]
        Faces = "faces": [SeniorModerator, Admin];
        #[doc = " Where the person is logged in."]
        Sessions = "sessions": [SeniorModerator, Admin];
        #[doc = " What guards the account besides its password."]
        SecondFactor = "second_factor": [SeniorModerator, Admin];
        #[doc = " Which sanction holds, why, and by whom."]
        Sanction = "sanction": [Moderator, SeniorModerator, Admin];
    }
}

/// Both tables, as `docs/PERMISSIONS.md` shows them.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Permissions\n\nWritten by `cargo xtask codegen permissions` from the tables of `daira-core/src/staff/permission.rs`; the use cases ask \
         these tables, and no transport does. What people may do with what is their own takes no role.\n\nStaff have their \
         role only in a session on which a second factor was proved. Nobody acts on themselves, nor on staff of their own rank \
         or above. A service is a part of the platform, or an operator at a command.\n",
    );
    rows(&mut page, "permission", Permission::ALL.iter().map(|p| (p.code(), p.about(), p.roles())));
    page.push_str("\n## Private fields\n\nTheir owner sees all of them. Staff name those that they need, and why; each look is a line in the audit trail.\n");
    rows(&mut page, "field", PrivateField::ALL.iter().map(|f| (f.code(), f.about(), f.roles())));
    page
}

fn rows<'a>(page: &mut String, of: &str, lines: impl Iterator<Item = (&'a str, &'a str, &'a [Role])>) {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    // Writing to a string cannot fail.
    let _ = write!(page, "\n| {of} | what | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (code, about, roles) in lines {
        let marks: Vec<&str> = Role::ALL.iter().map(|role| if roles.contains(role) { "yes" } else { "–" }).collect();
        let _ = writeln!(page, "| `{code}` | {} | {} |", about.trim(), marks.join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_higher_may_do_no_less() {
        for pair in StaffRole::ALL.windows(2) {
            let [below, above] = [pair[0], pair[1]].map(Role::from);
            assert!(Permission::ALL.iter().all(|p| p.is_of(above) >= p.is_of(below)));
            assert!(PrivateField::ALL.iter().all(|f| f.is_of(above) >= f.is_of(below)));
        }
    }

    #[test]
    fn whoever_is_no_staff_has_none_of_it() {
        for kind in [ProfileKind::Regular, ProfileKind::Creator, ProfileKind::VerifiedCreator, ProfileKind::Brand]
            .map(Role::from)
        {
            assert!(!Permission::ALL.iter().any(|p| p.is_of(kind)));
            assert!(!PrivateField::ALL.iter().any(|f| f.is_of(kind)));
        }
    }

    #[test]
    fn the_page_has_a_line_for_each() {
        let page = markdown();
        let codes = Permission::ALL.iter().map(|p| p.code()).chain(PrivateField::ALL.iter().map(|f| f.code()));
        for code in codes {
            assert_eq!(page.matches(&format!("| `{code}` |")).count(), 1, "{code}");
        }
    }
}
