#include "policies/detect/name_words.h"

#include <unordered_map>

namespace mlops::detect {
namespace {

constexpr std::string_view kFirstNames =
    "aaron abby abdul abigail abraham ada adam adams adela adrian adriana agnes ahmed aidan aimee alan albert alberto "
    "alejandra alejandro alex "
    "alexander alexandra alexis alfred alfredo ali alice alicia alison allan allen allison alma alvin alyssa amanda "
    "amber amelia amir amy ana "
    "andre andrea andres andrew andy angel angela angelica angelina angelo anita ann anna anne annette annie anthony "
    "antonio april ariana "
    "arlene armando arnold arthur arturo ashley audrey austin ava avery barbara barry beatrice becky ben benjamin "
    "bernard bernice bessie beth "
    "bethany betsy betty beverly bill billie billy blake blanca bob bobbie bobby bonnie brad bradley brandi brandon "
    "brandy brenda brendan brent "
    "brett brian brianna bridget brittany brooke bruce bryan bryant caleb calvin cameron camila camille candace carl "
    "carla carlos carmen carol "
    "carole caroline carolyn carrie carter casey cassandra catherine cathy cecil cecilia cesar chad charlene charles "
    "charlie charlotte chase "
    "chelsea cheryl chester chloe chris christian christie christina christine christopher christy cindy claire clara "
    "clarence claude claudia "
    "clayton clifford clifton clinton clyde cody colin colleen connie connor constance corey cory courtney craig "
    "cristina crystal curtis cynthia "
    "daisy dale dallas dalton damian damon dan dana daniel daniela danielle danny darius darlene darrell darren darryl "
    "daryl dave david dawn "
    "dean deanna debbie deborah debra delia delores denise dennis derek derrick desmond destiny devin diana diane "
    "dianne diego dolores dominic "
    "dominique don donald donna dora doreen doris dorothy doug douglas duane dustin dwayne dwight dylan earl ebony "
    "eddie edgar edith edna eduardo "
    "edward edwin eileen elaine eleanor elena eli elias elijah elisa elise elizabeth ella ellen elmer elsa elsie "
    "emilio emily emma enrique eric "
    "erica erik erika erin ernest ernesto esperanza esteban estelle esther ethan ethel eugene eunice eva evan evelyn "
    "faith faye felicia felipe "
    "felix fernando flora florence floyd frances francis francisco frank franklin fred freddie frederick gabriel "
    "gabriela gabrielle gail garrett "
    "gary gavin gene genevieve geoffrey george georgia gerald geraldine gerard gilbert gina gladys glen glenda glenn "
    "gloria gordon grace grant "
    "greg gregg gregory gretchen guadalupe guillermo gustavo guy gwendolyn hannah harold harriet harry harvey hassan "
    "hazel heather hector heidi "
    "helen henry herbert herman hilda holly hope howard hugh hugo ian ibrahim ida ignacio imani inez irene iris irma "
    "isaac isabel isabella isaiah "
    "ismael ivan jack jackie jackson jacob jacqueline jaime jake jamal james jamie jan jane janet janice jared jasmin "
    "jasmine jason javier jay "
    "jean jeanette jeanne jeff jeffery jeffrey jenna jennie jennifer jenny jeremiah jeremy jermaine jerome jerry jesse "
    "jessica jessie jesus jill "
    "jim jimmie jimmy jo joan joann joanna joanne joaquin jodi joe joel joey john johnathan johnnie johnny jon "
    "jonathan jordan jorge jose joseph "
    "josephine josh joshua joy joyce juan juana juanita judith judy julia julian juliana julie julio june justin "
    "kaitlyn kara karen karl karla "
    "kate katelyn katherine kathleen kathryn kathy katie katrina kay kayla keisha keith kelley kelli kelly kelsey "
    "kelvin ken kendra kenneth kenny "
    "kent kerry kevin khalid kim kimberly kirk krista kristen kristi kristin kristina kristy krystal kurt kyle lakisha "
    "lamar lana lance larry "
    "latoya laura lauren laurie lawrence leah lee leigh lena leo leon leona leonard leroy leslie lester leticia levi "
    "lewis liam lila lillian "
    "lillie linda lindsay lindsey lisa liz lloyd logan lois lola lonnie lora loretta lori lorraine louis louise lucas "
    "lucia lucille lucy luis luke "
    "luther luz lydia lynda lynn mabel mack madeline madison mae malcolm malik mandy manuel marc marcella marcia marco "
    "marcos marcus margaret "
    "margarita margie maria mariah marian mariana marie marilyn mario marion marisa marisol marissa marjorie mark "
    "marlene marsha marshall martha "
    "martin marvin mary mason mateo mathew matt matthew mattie maureen maurice maxine maya megan mei melanie melinda "
    "melissa melody melvin "
    "mercedes meredith mia michael micheal michele michelle miguel mike mildred milton minnie miranda miriam misty "
    "mitchell mohamed mohammad "
    "mohammed moises molly mona monica monique morgan moses muhammad muriel myra myrtle nadia nancy naomi natalia "
    "natalie natasha nathan nathaniel "
    "neil nellie nelson nicholas nichole nick nicolas nicole nina noah noel noelle nora norma norman nova olga olive "
    "oliver olivia omar ophelia "
    "orlando oscar otis owen pablo paige pam pamela patrice patricia patrick patsy patti patty paul paula pauline "
    "pearl pedro peggy penny percy "
    "perry peter phil philip phillip phyllis preston priscilla priya quentin quinn rachael rachel rafael raj ralph "
    "ramon ramona randall randy raquel "
    "raul ray raymond reba rebecca regina reginald rena rene renee rhonda ricardo rich richard rick ricky rita rob "
    "robert roberta roberto robin "
    "robyn rochelle roderick rodney rodrigo roger roland ron ronald ronnie rosa rosalie rosario rose rosemary rosie "
    "ross roxanne roy ruben ruby "
    "rudolph rudy russell ruth ryan sabrina sadie sally salvador sam samantha sammy samuel sandra sandy santiago sara "
    "sarah sasha saul savannah scott "
    "sean sebastian selena sergio seth shane shannon shari sharon shaun shauna shawn sheila shelby sheldon shelia "
    "shelley shelly sheri sherman sherri "
    "sherry sheryl shirley sidney sierra silvia simon sofia sonia sonja sonya sophia sophie spencer stacey stacy "
    "stanley stella stephanie stephen "
    "steve steven stewart stuart sue susan susie suzanne sydney sylvia tabitha tamara tami tammy tania tanya tara "
    "tasha taylor ted terence teresa teri "
    "terrance terrell terrence terri terry thelma theodore theresa thomas tiffany tim timothy tina todd tom tomas "
    "tommy toni tony tonya tracey traci "
    "tracy travis trevor tricia trinity troy tyler tyrone valerie vanessa velma vera vernon veronica vicki vickie "
    "vicky victor victoria vincent viola "
    "violet virginia vivian wade wallace walter wanda warren wayne wei wendell wendy wesley whitney wilbur will "
    "willard william willie wilma winston "
    "xavier yasmin yesenia yolanda yusuf yvette yvonne zachary zoe";

constexpr std::string_view kSurnames =
    "abbott acosta adams adkins aguilar ahmed alexander ali allen allison alvarado alvarez anderson andrews aquino "
    "armstrong arnold ashe austin avila "
    "ayala bailey baker baldwin ball ballard banks barber barker barnes barnett barrett barton bates bauer beck becker "
    "bell bennett benson bernal "
    "berry bishop black blair blake bowen bowers bowman boyd bradley brady brennan brewer briggs brooks brown bryant "
    "buchanan burgess burke burnett "
    "burns burton bush butler byrd caldwell calderon callahan cameron campbell campos cannon cardenas carlson "
    "carpenter carr carrillo carroll carson "
    "carter castaneda castillo castro cervantes chambers chan chandler chang chapman chavez chen christensen clark "
    "clarke clayton cobb cohen cole "
    "coleman collins conner contreras conway cook cooper cordova corona cortez cox craig crawford cross cruz cummings "
    "cunningham curtis dalton "
    "daniel daniels davenport davidson davis dawson day dean delacruz delgado dennis diaz dixon dominguez douglas "
    "doyle duarte duncan dunn duran "
    "edwards elliott ellis erickson espinoza estrada evans farmer fernandez ferguson fields figueroa fischer fisher "
    "fitzgerald fleming fletcher flores "
    "flynn ford foster fowler fox francis franco frank franklin frazier freeman fuentes fuller gallagher gallegos "
    "garcia gardner garner garrett garza "
    "george gibbs gibson gilbert gill gilmore glover goldberg gomez gonzales gonzalez goodman goodwin gordon graham "
    "grant graves gray green greene "
    "gregory griffin griffith gross guerra guerrero gutierrez guzman haas hale hall hamilton hammond hampton han "
    "hansen hanson hardy harmon harper "
    "harrington harris harrison hart hartman harvey hawkins hayes haynes henderson henry hernandez herrera hicks "
    "higgins hill hines hodges hoffman "
    "hogan holland holloway holmes holt hopkins horton houston howard howell huang hubbard hudson huff hughes hunt "
    "hunter hussain ibarra ingram "
    "jackson jacobs james jefferson jenkins jennings jensen jimenez johnson johnston jones jordan joseph juarez "
    "kaufman kaur keller kelley kelly "
    "kennedy kessler khan kim king klein knight kowalski kramer krueger kumar lam lambert lane lang lara larson "
    "lawrence lawson le leblanc lee leon "
    "leonard levine levy lewis li lin lindsey little liu lloyd logan long lopez love lowe lucas lucero luna lynch "
    "lyons macdonald mack maldonado malone "
    "mann manning marquez marsh marshall martin martinez mason matthews maxwell may mccarthy mccormick mccoy mcdaniel "
    "mcdonald mcgee mckenzie mckinney "
    "mclaughlin mcmillan medina mejia mendez mendoza mercado meyer michael middleton miles miller mills miranda "
    "mitchell molina monroe montes montgomery "
    "montoya moody moon moore mora morales moran moreno morgan morris morrison morse moss mueller mullins munoz "
    "murillo murphy murray myers nakamura "
    "nash navarro neal nelson newman newton nguyen nichols nielsen nixon norman norris norton novak nunez obrien ochoa "
    "oconnor odonnell oliver olsen "
    "olson oneal oneil oneill ortega ortiz osborne owens pacheco padilla page palacios palmer park parker parks "
    "parsons patel patrick patterson patton "
    "paul payne pearson pena pennington perez perkins perry peters petersen peterson petrov pham phelps phillips "
    "pierce pineda pittman ponce poole pope "
    "porter potter powell powers pratt preston price prince pruitt quinn quintero ramirez ramos ramsey randall rangel "
    "ray reed reese reeves reid "
    "reilly reyes reynolds rhodes rice rich richards richardson riggs riley rios rivas rivera roberson roberts "
    "robertson robinson robles rocha rodgers "
    "rodriguez rogers rojas rollins roman romero rosales rosario rose rosenberg ross rossi roth rowe ruiz russell "
    "russo ryan salas salazar salinas sanchez "
    "sanders sandoval santana santiago santos saunders schaefer schmidt schneider schroeder schultz schwartz scott "
    "sellers serrano shah shaffer shannon "
    "sharma sharp shaw shelton sheppard sherman shields silva simmons simon simpson sims singh singleton skinner smith "
    "snyder solis solomon soto sparks "
    "spencer stanley steele stein stephens stevens stevenson stewart stone stout strickland suarez sullivan summers "
    "sutton swanson tanaka tate taylor "
    "terrell terry thomas thompson thornton todd torres townsend tran travis trevino trujillo tucker turner tyler "
    "valdez valencia valentine vance vargas "
    "vasquez vaughn vazquez vega velasquez velez villa villanueva villarreal vincent wade wagner walker wall wallace "
    "wallis walsh walters walton wang ward "
    "ware warner warren washington waters watkins watson watts weaver webb weber webster weeks weiss welch wells west "
    "wheeler whitaker white whitehead "
    "wiggins wilkerson wilkins wilkinson williams williamson willis wilson winters wise wolf wolfe wong wood woodard "
    "woods woodward wright wu wyatt yamamoto "
    "yang yates yoder york young yu zamora zhang zhao zimmerman zuniga";

// Names that are everyday or clinical words, months or places as well.
constexpr std::string_view kOrdinary =
    "angel art april ball banks bell berry bill bishop black blanca blake brook brooks brown bush camille carol chad "
    "chase cook cross crystal cruz daisy dale "
    "dallas dalton dan dawn day dean diego don ebony faith farmer field fields fox frank franco georgia gene glen "
    "grace grant graves gray green guy hale hall hardy "
    "hart hill holly hope houston hunt hunter iris jack jackson jan jay jean jersey jordan joy june kay king knight "
    "lance lane lang lee leon li lin little long "
    "love lynn mack mae mann mark marsh mason may melody mercedes miles miller mills misty moon moss norman nova olive "
    "page paige park parker parks pearl penny "
    "perry pope porter potter powers price prince ray reed rich rob rice robin roman rose ruby sandy savannah shields "
    "sierra silva sharp sparks stone sue summers "
    "sydney tate trinity troy violet virginia wade walker wall ward ware warren washington waters weeks wells west "
    "white will winters wise wolf wood woods "
    "young york destiny le yu ali han kim mia ann don pat sam ben jo ted ron lola luz ida ana eli ada ava leo max sage "
    "victor bobby";

constexpr std::string_view kNotNames =
    "a about admission admitted after all allergies an and any are as assessment at bed before blood both but by "
    "called cancer care center chief chronic city "
    "clinic clinical colonoscopy complaint consult continue count county court crisis day denies department diabetes "
    "diagnosis discharge disease drive emergency exam "
    "examination family female findings follow followed for friday from general had has have he health her his history "
    "hospital however i icu if impression in "
    "institute instructions is it january february march july august september october november december jan feb mar "
    "apr jun jul aug sep sept oct nov dec lab "
    "labs left male medical medicine medications memorial monday mr name negative next no none normal north not note "
    "notes of on or order our pain patient per "
    "phone plan please pm am positive presented presents primary procedure ray reason record records regional report "
    "reports request results right room saint "
    "saturday saw school see seen she since sister south spoke stable state status still street subjective sunday "
    "surgery surgical syndrome take test tests the "
    "their then there they this thursday to today treatment tuesday type unit university until up upon urgent us visit "
    "vital vitals was we wednesday were when "
    "while who will with x you your mother father brother daughter son wife husband east west avenue road boulevard "
    "lane suite apt email address date dob mrn "
    "ssn zip fax number id objective objectives review score scale sign signs stage grade acute severe mild moderate";

constexpr std::string_view kParticles =
    "al ap bin bint da de del della den der di do dos du el ibn la las le los mac san santa st te ten ter van von zu";
constexpr std::string_view kTitles =
    "mr mrs ms miss mister madam mx dr prof doctor professor rev reverend sr sra sgt capt judge";
constexpr std::string_view kLabels =
    "patient pt name client subject physician attending provider surgeon doctor contact guardian spouse mother father "
    "wife husband daughter son signed "
    "dictated author resident nurse pcp referring kin from to cc re";

void add(std::unordered_map<std::string_view, unsigned>& words, std::string_view list, unsigned bit) {
  while (!list.empty()) {
    const std::size_t blank = list.find(' ');
    words[list.substr(0, blank)] |= bit;
    list.remove_prefix(blank == std::string_view::npos ? list.size() : blank + 1);
  }
}

std::unordered_map<std::string_view, unsigned> make_dictionary() {
  std::unordered_map<std::string_view, unsigned> words;
  words.reserve(4096);
  add(words, kFirstNames, kFirstName);
  add(words, kSurnames, kSurname);
  add(words, kOrdinary, kOrdinaryWord);
  add(words, kNotNames, kNoName);
  add(words, kParticles, kParticle);
  add(words, kTitles, kTitle);
  add(words, kLabels, kLabel);
  return words;
}

}  // namespace

unsigned name_word(std::string_view lower) {
  static const auto kDictionary = make_dictionary();
  const auto found = kDictionary.find(lower);
  return found == kDictionary.end() ? 0 : found->second;
}

}  // namespace mlops::detect
